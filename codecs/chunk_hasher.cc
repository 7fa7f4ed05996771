#include "codecs/chunk_hasher.h"

#include "codecs/chunk_hash_engine.h"
#include "codecs/ipsec_mb.h"
#include "codecs/openssl_hmac.h"

namespace drs {
namespace {

class OpensslHashEngine final : public ChunkHashEngine {
 public:
  explicit OpensslHashEngine(ByteView key) : hmac_(key) {}
  void hash(std::span<const ByteView> messages, std::span<Digest> ids) override {
    for (std::size_t i = 0; i < messages.size(); ++i) ids[i] = hmac_.compute(messages[i]);
  }

 private:
  OpensslHmac hmac_;
};

}  // namespace

ChunkHasher::ChunkHasher(ByteView key, CryptoBackend backend) {
  DRS_ASSERT(key.size() == 32, "a chunk id key has 32 bytes");
  if (backend == CryptoBackend::kIpsecMb) {
    engine_ = make_ipsec_mb_hash_engine(key);
  } else {
    engine_ = std::make_unique<OpensslHashEngine>(key);
  }
}
ChunkHasher::ChunkHasher(ChunkHasher&&) noexcept = default;
ChunkHasher& ChunkHasher::operator=(ChunkHasher&&) noexcept = default;
ChunkHasher::~ChunkHasher() = default;

void ChunkHasher::hash(std::span<const ByteView> messages, std::span<Digest> ids) {
  DRS_ASSERT(messages.size() == ids.size(), "one id per message");
  engine_->hash(messages, ids);
}

}  // namespace drs
