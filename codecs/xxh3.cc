#include "codecs/xxh3.h"

#include <xxhash.h>

#include "codecs/allocated.h"

namespace drs {
namespace {

Xxh3Digest stored_form(XXH128_hash_t hash) {
  Xxh3Digest digest;
  std::memcpy(digest.data.data(), &hash.low64, 8);
  std::memcpy(digest.data.data() + 8, &hash.high64, 8);
  return digest;
}

}  // namespace

Xxh3Digest xxh3_128(ByteView bytes) {
  return stored_form(XXH3_128bits(bytes.data(), bytes.size()));
}

struct Xxh3Stream::State {
  XXH3_state_t* raw = allocated(XXH3_createState());  // aligned to 64 bytes by the library
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(raw); }
};

Xxh3Stream::Xxh3Stream() : state_(std::make_unique<State>()) {
  reset();
}
Xxh3Stream::Xxh3Stream(Xxh3Stream&&) noexcept = default;
Xxh3Stream& Xxh3Stream::operator=(Xxh3Stream&&) noexcept = default;
Xxh3Stream::~Xxh3Stream() = default;

void Xxh3Stream::update(ByteView bytes) {
  if (bytes.empty()) return;  // the library treats a null input as an error, whatever its length
  DRS_ASSERT(XXH3_128bits_update(state_->raw, bytes.data(), bytes.size()) == XXH_OK, "XXH3 failed");
}

Xxh3Digest Xxh3Stream::finish() const {
  return stored_form(XXH3_128bits_digest(state_->raw));
}

void Xxh3Stream::reset() {
  DRS_ASSERT(XXH3_128bits_reset(state_->raw) == XXH_OK, "XXH3 failed");
}

}  // namespace drs
