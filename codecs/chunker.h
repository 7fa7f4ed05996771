// Keyed gear FastCDC: where a stream is cut into chunks. This rule is stored behaviour: two versions that cut
// differently would share no chunk. docs/FORMAT.md, "Cutting", repeats it; a golden vector in
// tests/codecs/chunker_test.cc holds it.
//
// 1. The gear table G is 256 64-bit integers: HKDF-SHA-256 of the cutting key (empty salt, info "drstream/1/gear", 2048
//    bytes of output), read as little-endian integers in order.
// 2. The hash at stream offset x, of the 64 bytes b[x-64] .. b[x-1] before it, is
//      h(x) = sum over k = 0..63 of G[b[x-1-k]] * 2^k   (mod 2^64),
//    which is what h = (h << 1) + G[byte] leaves after 64 or more bytes. It does not know where its chunk began.
// 3. The strict mask has log2(bytes_mean) + normalization one bits and the loose mask log2(bytes_mean) - normalization,
//    both from bit 62 downwards, so that a strict match is also a loose one. Bit 63 is in neither.
// 4. A chunk that begins at offset s ends at the first x, with L = x - s, for which
//      bytes_min  <= L < bytes_mean and h(x) & strict mask == 0, or
//      bytes_mean <= L < bytes_max  and h(x) & loose mask == 0, or
//      L == bytes_max, or
//      x is the end of the stream (this last chunk alone may be shorter than bytes_min).
//
// As h(x) depends on 64 bytes alone, Chunker::next (one pass, skipping bytes_min at each start) and Chunker::scan over
// any segments followed by CutResolver give the same cuts. As the masks leave bit 63 free, h can advance two bytes a
// step and still be tested at both: h(x+1) << 1 keeps every masked bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Kept in the repository's config.
struct ChunkParameters {
  std::uint32_t bytes_min = 8192;
  std::uint32_t bytes_mean = 16384;
  std::uint32_t bytes_max = 65534;  // the longest message that ipsec-mb hashes
  std::uint8_t normalization = 2;
  friend bool operator==(const ChunkParameters&, const ChunkParameters&) = default;
};

inline constexpr std::size_t kChunkWindowBytes = 64;
inline constexpr std::uint32_t kChunkBytesMax = 65534;

// bytes_mean must be a power of two in 512..32768, 64 <= bytes_min < bytes_mean < bytes_max <= 65534, and normalization
// at most 3. Errors: kUsage, naming the rule that is broken.
Result<void> validate(const ChunkParameters& parameters);

// A place where a cut is possible: before stream offset `offset_bytes`.
struct CutCandidate {
  std::uint64_t offset_bytes;
  bool strict;
  friend bool operator==(const CutCandidate&, const CutCandidate&) = default;
};

// Holds the gear table, 4 KiB with its shifted copy, and wipes it. All calls are const and may run on several threads.
class Chunker {
 public:
  // The parameters must be valid (assertion). `key` is 32 bytes, borrowed.
  Chunker(const ChunkParameters& parameters, ByteView key);
  Chunker(const Chunker&) = default;
  Chunker& operator=(const Chunker&) = default;
  ~Chunker();

  [[nodiscard]] const ChunkParameters& parameters() const { return parameters_; }

  // The length of the chunk that begins at data[0], or 0 when these bytes do not decide it and more may follow. With
  // `final`, the stream ends where `data` ends, and only empty `data` yields 0. A call that yields 0 is repeated from
  // the chunk's beginning once there are more bytes, so let buffers be many times bytes_max long.
  [[nodiscard]] std::size_t next(ByteView data, bool final) const;

  // Appends to `out`, in order, every candidate x with data_offset < x <= data_offset + data.size(), whatever the
  // lengths of chunks. `before` holds the stream's bytes just before `data`: at least 63 of them, or all there are
  // (assertion). Four times as parallel inside as next(), but it tests every offset.
  void scan(ByteView before, ByteView data, std::uint64_t data_offset_bytes, std::vector<CutCandidate>& out) const;

 private:
  struct Masks {
    std::uint64_t strict = 0;
    std::uint64_t loose = 0;
  };
  std::uint64_t warm(std::uint64_t hash, ByteView bytes) const;
  std::size_t find_match(ByteView data, std::size_t begin, std::size_t end, std::uint64_t mask,
                         std::uint64_t& hash) const;

  ChunkParameters parameters_;
  Masks masks_;
  std::array<std::uint64_t, 256> gear_{};
  std::array<std::uint64_t, 256> gear_shifted_{};  // gear_ << 1, for the first byte of each pair
};

// Applies the lengths of rule 4 to candidates. Feed it the candidates of consecutive segments, in stream order. One
// instance per stream, one thread at a time.
class CutResolver {
 public:
  // `begin_offset_bytes` is where the first chunk begins. The parameters must be valid (assertion).
  explicit CutResolver(const ChunkParameters& parameters, std::uint64_t begin_offset_bytes = 0);

  // `candidates` are all those after the previous call's `scanned_end_bytes` up to this one's. Appends to `cuts` the
  // end offset of every chunk that is now decided; with `final`, the stream ends at `scanned_end_bytes`, and so does
  // its last chunk.
  void resolve(std::span<const CutCandidate> candidates, std::uint64_t scanned_end_bytes, bool final,
               std::vector<std::uint64_t>& cuts);

  // Where the chunk begins that is not decided yet.
  [[nodiscard]] std::uint64_t chunk_begin_bytes() const { return chunk_begin_bytes_; }

 private:
  ChunkParameters parameters_;
  std::uint64_t chunk_begin_bytes_;
};

}  // namespace drs
