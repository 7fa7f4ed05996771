#include "codecs/record_digest.h"

#include "codecs/xxh3.h"
#include "io/base/memory_writer.h"

namespace drs {
namespace {

using Wide = unsigned __int128;

constexpr Wide kPrime = (Wide{1} << 127) - 1;
// X (stored; FORMAT.md "Digest of records"): the first 16 bytes of SHA-256("drstream record digest") as a little-endian
// number, mod 2^127 - 1.
constexpr Wide kBase = (Wide{0x1DB7E3D93BBBE92A} << 64) | 0x4B787469AFA28CE2;

constexpr std::uint64_t low_half(Wide value) {
  return static_cast<std::uint64_t>(value);
}
constexpr std::uint64_t high_half(Wide value) {
  return static_cast<std::uint64_t>(value >> 64);
}

// A number that is equal to `value` modulo 2^127 - 1 and at most 2^127. Bit 127 counts as one, since 2^127 = 1.
constexpr Wide folded(Wide value) {
  return (value & kPrime) + (value >> 127);
}

// value mod 2^127 - 1.
constexpr Wide reduced(Wide value) {
  const Wide once = folded(value);
  return once >= kPrime ? once - kPrime : once;
}

// A number that is equal to a * b modulo 2^127 - 1, and at most 2^127 - 1. For reduced numbers.
constexpr Wide folded_product(Wide a, Wide b) {
  const Wide low = Wide{low_half(a)} * low_half(b);
  const Wide middle_a = Wide{high_half(a)} * low_half(b);
  const Wide middle_b = Wide{low_half(a)} * high_half(b);
  const Wide high = Wide{high_half(a)} * high_half(b);
  const Wide carry = Wide{high_half(low)} + low_half(middle_a) + low_half(middle_b);
  const Wide lower = (carry << 64) | low_half(low);
  const Wide upper = high + high_half(middle_a) + high_half(middle_b) + high_half(carry);
  // upper < 2^126 counts twice, since 2^128 = 2. The sum is at most 2^128 - 2.
  return folded(folded(lower) + upper * 2);
}

// kPowers[i] = X^(2^i), so that a power of X takes one multiplication for each bit that is 1.
constexpr auto kPowers = [] {
  std::array<Wide, 64> powers{};
  Wide power = kBase;
  for (Wide& entry : powers) {
    entry = power;
    power = reduced(folded_product(power, power));
  }
  return powers;
}();

constexpr Wide base_to_the(std::uint64_t exponent) {
  Wide power = 1;
  for (; exponent != 0; exponent &= exponent - 1)
    power = reduced(folded_product(power, kPowers[static_cast<std::size_t>(std::countr_zero(exponent))]));
  return power;
}

Wide number_of(const FixedBytes<16>& bytes) {
  std::uint64_t low;
  std::uint64_t high;
  std::memcpy(&low, bytes.data.data(), 8);
  std::memcpy(&high, bytes.data.data() + 8, 8);
  return (Wide{high} << 64) | low;
}

FixedBytes<16> bytes_of(Wide number) {
  const std::uint64_t low = low_half(number);
  const std::uint64_t high = high_half(number);
  FixedBytes<16> bytes;
  std::memcpy(bytes.data.data(), &low, 8);
  std::memcpy(bytes.data.data() + 8, &high, 8);
  return bytes;
}

// What stands for stored values that are no digest. It stays what it is, whatever is added.
constexpr Wide kNoDigest = ~Wide{0};

// A row that is longer than this is hashed in pieces, so that the memory of a large record is not needed twice.
constexpr std::size_t kWholeRowBytesMax = 64 * kKiB;
constexpr std::size_t kFixedRowBytes = 8 + 4 + 4 + 4;  // timestamp, two lengths, number of headers
constexpr std::size_t kFixedHeaderBytes = 4 + 4;

// The other kind of row is a MemoryWriter.
class RowStream {
 public:
  template <typename Scalar>
  void scalar(Scalar value) {
    hash_.update({reinterpret_cast<const Byte*>(&value), sizeof value});
  }
  void raw(ByteView bytes) { hash_.update(bytes); }
  [[nodiscard]] Xxh3Digest finish() const { return hash_.finish(); }

 private:
  Xxh3Stream hash_;
};

inline std::uint32_t checked_length(std::size_t bytes) {
  DRS_ASSERT(bytes < 0xFFFFFFFF, "a field of a record is too long for its length field");
  return static_cast<std::uint32_t>(bytes);
}

template <typename Row>
inline void put_nullable(const std::optional<ByteView>& bytes, Row& row) {
  row.scalar(bytes ? checked_length(bytes->size()) + 1 : std::uint32_t{0});
  if (bytes) row.raw(*bytes);
}

template <typename Row>
inline void put_record(const Record& record, Row& row) {
  row.scalar(record.timestamp_ms);
  put_nullable(record.key, row);
  put_nullable(record.value, row);
  row.scalar(checked_length(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    row.scalar(checked_length(header.name.size()));
    row.raw(header.name);
    put_nullable(header.value, row);
  }
}

inline std::size_t row_bytes(const Record& record) {
  return kFixedRowBytes + kFixedHeaderBytes * record.headers.size() + payload_bytes(record);
}

}  // namespace

void encode_record_row(const Record& record, Bytes& row) {
  row.resize(row_bytes(record));
  MemoryWriter memory(row.data());
  put_record(record, memory);
}

RecordHash record_hash(const Record& record, Bytes& scratch) {
  const std::size_t bytes = row_bytes(record);
  if (bytes > kWholeRowBytesMax) {
    RowStream stream;
    put_record(record, stream);
    return bytes_of(reduced(number_of(stream.finish())));
  }
  if (scratch.size() < bytes) scratch.resize(bytes);
  MemoryWriter memory(scratch.data());
  put_record(record, memory);
  return bytes_of(reduced(number_of(xxh3_128({scratch.data(), bytes}))));
}

RecordDigest RecordDigest::of_stored(const FixedBytes<kBytes>& stored) {
  const Wide number = number_of(stored);
  RecordDigest digest;
  digest.set(low_half(number), high_half(number));
  if (number >= kPrime) digest.set(low_half(kNoDigest), high_half(kNoDigest));
  return digest;
}

FixedBytes<RecordDigest::kBytes> RecordDigest::stored() const {
  return bytes_of((Wide{high_} << 64) | low_);
}

void RecordDigest::add(const RecordHash& hash) {
  if (!valid()) return;
  const Wide before = (Wide{high_} << 64) | low_;
  const Wide after = reduced(folded_product(before, kBase) + folded(number_of(hash)));  // at most 2^128 - 1
  set(low_half(after), high_half(after));
}

void RecordDigest::append(const RecordDigest& next, std::uint64_t records) {
  if (!valid()) return;
  if (!next.valid()) return set(low_half(kNoDigest), high_half(kNoDigest));
  const Wide before = (Wide{high_} << 64) | low_;
  const Wide after = reduced(folded_product(before, base_to_the(records)) + ((Wide{next.high_} << 64) | next.low_));
  set(low_half(after), high_half(after));
}

}  // namespace drs
