// Makes every allocation of OpenSSL fail in turn: a failing computation throws, as `new` does, and never aborts.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <stdexcept>

#include "codecs/aead.h"
#include "codecs/hkdf.h"
#include "codecs/hmac_sha256.h"
#include "codecs/scrypt.h"
#include "codecs/sha256.h"
#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

int allocations_left = -1;  // -1: unlimited

bool may_allocate() {
  if (allocations_left > 0) --allocations_left;
  return allocations_left != 0;
}
void* allocate(std::size_t bytes, const char* /*file*/, int /*line*/) {
  return may_allocate() ? std::malloc(bytes) : nullptr;
}
void* reallocate(void* old, std::size_t bytes, const char* /*file*/, int /*line*/) {
  return may_allocate() ? std::realloc(old, bytes) : nullptr;
}
void release(void* memory, const char* /*file*/, int /*line*/) {
  std::free(memory);
}

// Returns whether `compute` throws std::bad_alloc with too little memory and returns the same result with enough. The
// first call fetches the algorithm: after a fetch that ran out of memory, OpenSSL never finds the algorithm again.
bool survives(const char* name, const std::function<std::string()>& compute, int& failed_count) {
  const std::string expected = compute();
  std::string got;
  for (int allowed = 1; got.empty() && allowed < 10'000; ++allowed) {
    allocations_left = allowed;
    try {
      got = compute();
    } catch (const std::bad_alloc&) {
      ++failed_count;
    } catch (const std::exception& thrown) {
      std::fprintf(stderr, "%s with %d allocations: %s\n", name, allowed, thrown.what());
      return false;
    }
    allocations_left = -1;
  }
  const bool right = got == expected;
  if (!right) std::fprintf(stderr, "%s: a different result\n", name);
  return right;
}

[[noreturn]] void fail_every_allocation() {
  if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1) std::_Exit(2);
  const Bytes key(32, 7);
  const Bytes nonce(kAeadNonceBytes, 1);
  const Bytes text(1000, 'x');
  const auto seal = [&] {
    Bytes sealed(text.size() + kAeadTagBytes);
    Aead(key, CryptoBackend::kOpenssl).seal(nonce, {}, text, sealed);
    return to_hex(sealed);
  };
  const auto open = [&] {
    Bytes sealed(text.size() + kAeadTagBytes);
    const Aead cipher(key, CryptoBackend::kOpenssl);
    cipher.seal(nonce, {}, text, sealed);
    Bytes plain(text.size());
    return cipher.open(nonce, {}, sealed, plain).ok() ? to_hex(plain) : "called damaged";
  };
  const auto derive = [&] {
    Bytes out(64);
    hkdf_sha256(key, {}, as_bytes("label"), out);
    return to_hex(out);
  };
  const auto hash = [&] {
    Sha256 whole;
    whole.update(text);
    return whole.finish().hex() + sha256(text).hex();
  };
  const auto stretch = [&] {
    auto out = scrypt(text, key, {.log2_n = 10, .r = 1, .p = 1}, 32);
    if (!out.ok() && out.error().code == ErrorCode::kBusy) throw std::bad_alloc();
    return out.ok() ? to_hex(out->view()) : out.error().message;
  };
  int failed_count = 0;
  const bool good = survives("sha256", hash, failed_count) && survives("hkdf", derive, failed_count) &&
                    survives(
                        "hmac", [&] { return hmac_sha256(key, text).hex(); }, failed_count) &&
                    survives("seal", seal, failed_count) && survives("open", open, failed_count) &&
                    survives("scrypt", stretch, failed_count);
  std::_Exit(good && failed_count > 20 ? 0 : 1);
}

TEST(OpensslMemory, AFailedAllocationIsOfTheKindThatNewThrows) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // runs in a new process, where OpenSSL has not allocated yet
  EXPECT_EXIT(fail_every_allocation(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace drs
