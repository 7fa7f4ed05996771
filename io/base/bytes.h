// Byte views, little-endian scalars, a bounded reader, an appending writer, and SecretBytes for keys.
//
// A callee borrows ByteView and MutableByteView until it returns and never stores them. Every stored integer is
// little-endian (docs/FORMAT.md, "Conventions"); ByteReader checks each length before it touches a byte.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"

namespace drs {

static_assert(std::endian::native == std::endian::little, "drstream's encoders assume a little-endian machine");

using Byte = std::uint8_t;
using ByteView = std::span<const Byte>;
using MutableByteView = std::span<Byte>;
using Bytes = std::vector<Byte>;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kGiB = 1024 * kMiB;
// The size of a memory page and the alignment of O_DIRECT transfers.
inline constexpr std::size_t kPageBytes = 4 * kKiB;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
// Fills `out` from exactly 2 * out.size() hex digits of either case. Returns false and leaves `out` unspecified
// otherwise.
bool from_hex(std::string_view text, MutableByteView out);

// Compares in time that depends on the sizes alone. For MACs, commitments and tags.
bool equal_constant_time(ByteView a, ByteView b);

// Zeroes memory; the compiler cannot remove the store.
void wipe(MutableByteView bytes);

// An N-byte value compared and hashed as a whole: ids, digests, salts. Not for secrets.
template <std::size_t N>
struct FixedBytes {
  std::array<Byte, N> data{};
  static constexpr std::size_t kBytes = N;

  [[nodiscard]] ByteView view() const { return {data.data(), N}; }
  [[nodiscard]] MutableByteView mutable_view() { return {data.data(), N}; }
  [[nodiscard]] std::string hex() const { return to_hex(view()); }
  [[nodiscard]] bool is_zero() const {
    for (Byte b : data)
      if (b != 0) return false;
    return true;
  }
  friend bool operator==(const FixedBytes&, const FixedBytes&) = default;
  friend auto operator<=>(const FixedBytes&, const FixedBytes&) = default;
};

using Digest = FixedBytes<32>;  // SHA-256
using Uuid = FixedBytes<16>;    // random, version 4 layout not required

// Takes the first 8 bytes as the hash: for values that are already uniform (digests, keyed ids, random uuids).
struct FixedBytesHash {
  template <std::size_t N>
  std::size_t operator()(const FixedBytes<N>& value) const noexcept {
    std::uint64_t word;
    std::memcpy(&word, value.data.data(), sizeof word);
    return static_cast<std::size_t>(word);
  }
};

// The bytes of a key. Wiped on destruction, movable, not printable; copy_of is the only way to copy.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  static SecretBytes copy_of(ByteView bytes) {
    SecretBytes secret(bytes.size());
    if (!bytes.empty()) std::memcpy(secret.bytes_.data(), bytes.data(), bytes.size());
    return secret;
  }
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe(bytes_);
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(bytes_); }

  [[nodiscard]] ByteView view() const { return bytes_; }
  [[nodiscard]] MutableByteView mutable_view() { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

// Appends little-endian scalars and raw bytes to a caller-owned vector.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}
  void u8(std::uint8_t v) { out_.push_back(v); }
  void u16(std::uint16_t v) { scalar(v); }
  void u32(std::uint32_t v) { scalar(v); }
  void u64(std::uint64_t v) { scalar(v); }
  void i64(std::int64_t v) { scalar(v); }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // LEB128, at most 10 bytes.
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<std::uint8_t>(v));
  }
  // u16 or u32 length, then the bytes.
  void short_string(std::string_view text) {
    DRS_ASSERT(text.size() <= 0xFFFF, "string too long for its length field");
    u16(static_cast<std::uint16_t>(text.size()));
    raw(as_bytes(text));
  }
  void long_bytes(ByteView bytes) {
    DRS_ASSERT(bytes.size() <= 0xFFFFFFFF, "bytes too long for their length field");
    u32(static_cast<std::uint32_t>(bytes.size()));
    raw(bytes);
  }
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  template <typename T>
  void scalar(T v) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof v);
    std::memcpy(out_.data() + at, &v, sizeof v);
  }
  Bytes& out_;
};

// Reads little-endian scalars from a view. A read past the end sets `failed()`; that read and all later ones yield
// zeros or empty views, so a decoder reads a fixed layout straight through and checks once. `what` names the object in
// errors.
class ByteReader {
 public:
  ByteReader(ByteView bytes, std::string_view what) : rest_(bytes), what_(what) {}
  std::uint8_t u8() { return scalar<std::uint8_t>(); }
  std::uint16_t u16() { return scalar<std::uint16_t>(); }
  std::uint32_t u32() { return scalar<std::uint32_t>(); }
  std::uint64_t u64() { return scalar<std::uint64_t>(); }
  std::int64_t i64() { return scalar<std::int64_t>(); }
  ByteView raw(std::size_t count) {
    if (failed_ || count > rest_.size()) return fail();
    const ByteView out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return out;
  }
  template <std::size_t N>
  FixedBytes<N> fixed() {
    FixedBytes<N> out;
    const ByteView bytes = raw(N);
    if (!failed_) std::memcpy(out.data.data(), bytes.data(), N);
    return out;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = u8();
      if (failed_) return 0;
      if (shift == 63 && b > 1) break;
      value |= static_cast<std::uint64_t>(b & 0x7F) << shift;
      if ((b & 0x80) == 0) {
        if (b == 0 && shift != 0) break;  // each value has exactly one encoding
        return value;
      }
    }
    fail();
    return 0;
  }
  std::string short_string() {
    const std::size_t size = u16();
    return std::string(as_text(raw(size)));
  }
  ByteView long_bytes() {
    const std::size_t size = u32();
    return raw(size);
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  // Errors: kTruncated if any read failed; kCorrupt if bytes are left over.
  [[nodiscard]] Result<void> finish() const;
  // Errors: kTruncated if any read failed.
  [[nodiscard]] Result<void> check() const;

 private:
  template <typename T>
  T scalar() {
    T v{};
    const ByteView bytes = raw(sizeof v);
    if (!failed_) std::memcpy(&v, bytes.data(), sizeof v);
    return v;
  }
  ByteView fail() {
    failed_ = true;
    rest_ = {};
    return {};
  }
  ByteView rest_;
  std::string_view what_;
  bool failed_ = false;
};

}  // namespace drs
