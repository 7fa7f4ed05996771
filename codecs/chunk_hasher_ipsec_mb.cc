#include <intel-ipsec-mb.h>

#include <algorithm>
#include <array>
#include <vector>

#include "codecs/allocated.h"
#include "codecs/chunk_hasher.h"
#include "codecs/ipsec_mb.h"
#include "codecs/ipsec_mb_library.h"
#include "codecs/openssl_hmac.h"

namespace drs {
namespace {

// Computes the SHA-256 state after one block of the key (32 bytes, padded with zeros) XOR `pad`: the inner or outer
// half of RFC 2104, which the library requires precomputed.
void hash_key_block(ByteView key, Byte pad, MutableByteView state) {
  std::array<Byte, IMB_SHA_256_BLOCK_SIZE> block;
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
  IMB_SHA256_ONE_BLOCK(&ipsec_mb_functions(), block.data(), state.data());
  wipe(block);
}

// Hashes bursts of messages in the library's lanes. A burst is complete when the call returns, so no job outlives the
// messages that it points to.
class IpsecMbHashEngine final : public ChunkHashEngine {
 public:
  explicit IpsecMbHashEngine(ByteView key)
      : manager_(allocated(alloc_mb_mgr(0))), jobs_(IMB_MAX_BURST_SIZE), one_(key) {
    init_mb_mgr_auto(manager_.get(), nullptr);
    hash_key_block(key, 0x36, inner_);
    hash_key_block(key, 0x5C, outer_);
  }
  ~IpsecMbHashEngine() override {
    wipe(inner_);
    wipe(outer_);
  }

  void hash(std::span<const ByteView> messages, std::span<Digest> ids) override {
    std::uint32_t job_count = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const ByteView message = messages[i];
      if (message.empty() || message.size() > ChunkHasher::kLaneMessageBytesMax) {
        ids[i] = one_.compute(message);
        continue;
      }
      fill_job(jobs_[job_count++], message, ids[i]);
      if (job_count == jobs_.size()) run(std::exchange(job_count, 0));
    }
    run(job_count);
  }

 private:
  void fill_job(IMB_JOB& job, ByteView message, Digest& id) {
    job = IMB_JOB{};
    job.cipher_mode = IMB_CIPHER_NULL;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.chain_order = IMB_ORDER_HASH_CIPHER;
    job.hash_alg = IMB_AUTH_HMAC_SHA_256;
    job.src = message.data();
    job.msg_len_to_hash_in_bytes = message.size();
    job.auth_tag_output = id.data.data();
    job.auth_tag_output_len_in_bytes = Digest::kBytes;
    job.u.HMAC._hashed_auth_key_xor_ipad = inner_.data();
    job.u.HMAC._hashed_auth_key_xor_opad = outer_.data();
  }

  void run(std::uint32_t job_count) {
    if (job_count == 0) return;
    const std::uint32_t done_count =
        IMB_SUBMIT_HASH_BURST(manager_.get(), jobs_.data(), job_count, IMB_AUTH_HMAC_SHA_256);
    const bool all_done =
        done_count == job_count && std::all_of(jobs_.begin(), jobs_.begin() + job_count,
                                               [](const IMB_JOB& job) { return job.status == IMB_STATUS_COMPLETED; });
    DRS_ASSERT(all_done, "ipsec-mb failed to hash a burst of chunks");
  }

  struct FreeManager {
    void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
  };
  std::unique_ptr<IMB_MGR, FreeManager> manager_;
  std::vector<IMB_JOB> jobs_;
  OpensslHmac one_;
  alignas(16) std::array<Byte, IMB_SHA256_DIGEST_SIZE_IN_BYTES> inner_{};
  alignas(16) std::array<Byte, IMB_SHA256_DIGEST_SIZE_IN_BYTES> outer_{};
};

}  // namespace

std::unique_ptr<ChunkHashEngine> make_ipsec_mb_hash_engine(ByteView key) {
  DRS_ASSERT(ipsec_mb_usable(), "ipsec-mb does not run on this CPU");
  return std::make_unique<IpsecMbHashEngine>(key);
}

}  // namespace drs
