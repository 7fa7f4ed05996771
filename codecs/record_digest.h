// Digests of sequences of Kafka records that can be joined: the digest of a sequence follows from those of its parts,
// however it was cut. Finds faults of machines and programs, not forgers: whoever can choose records can construct
// others with the same digest.
//
// With h(r) = XXH3-128 of the record's row, taken as a little-endian number and reduced mod 2^127 - 1:
//   P() = 0;  P(s . r) = P(s) * X + h(r) mod 2^127 - 1;  hence P(a . b) = P(a) * X^|b| + P(b).
// This is the polynomial hash of Karp and Rabin (IBM J. Res. Dev. 31, 1987) over a Mersenne prime. The row, X and the
// stored form are in FORMAT.md "Digest of records". Offsets and the type of the timestamp are not part of a row: a
// restored record has another offset, and no producer can write LogAppendTime with an old time.
#pragma once

#include <cstdint>

#include "io/base/bytes.h"
#include "io/base/record.h"

namespace drs {

using RecordHash = FixedBytes<16>;  // h(r), reduced; little-endian

// Appends the row to `row`, after clearing it: i64 timestamp; u32 length + 1 and bytes of the key, u32 0 if it is null;
// the same for the value; u32 number of headers; for each, u32 length and bytes of its name, u32 length + 1 and bytes
// of its value.
void encode_record_row(const Record& record, Bytes& row);
// `scratch`: memory that is reused from call to call. Longer rows than 64 KiB do not need it.
RecordHash record_hash(const Record& record, Bytes& scratch);

class RecordDigest {
 public:
  static constexpr std::size_t kBytes = 16;
  RecordDigest() = default;  // of no records
  // Errors cannot occur: a stored value of 2^127 - 1 or more is no digest, equals none, and stays that.
  static RecordDigest of_stored(const FixedBytes<kBytes>& stored);
  [[nodiscard]] FixedBytes<kBytes> stored() const;

  void add(const RecordHash& hash);
  // Appends a sequence of `records` records that has the digest `next`.
  void append(const RecordDigest& next, std::uint64_t records);
  friend bool operator==(const RecordDigest&, const RecordDigest&) = default;

 private:
  [[nodiscard]] bool valid() const { return high_ >> 63 == 0; }
  void set(std::uint64_t low, std::uint64_t high) { low_ = low, high_ = high; }

  std::uint64_t low_ = 0, high_ = 0;
};

}  // namespace drs
