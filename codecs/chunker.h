// Keyed gear FastCDC: decides where a stream is cut into chunks. The rule is stored behaviour: versions that cut
// differently would share no chunks. docs/FORMAT.md, "Cutting", repeats it; a golden vector in
// tests/codecs/chunker_test.cc pins it.
//
// 1. The gear table G is 256 64-bit integers: HKDF-SHA-256 of the cutting key (empty salt, info "drstream/1/gear", 2048
//    bytes of output), read as little-endian integers in order.
// 2. The hash at stream offset x, of the 64 bytes b[x-64] .. b[x-1] before it, is
//      h(x) = sum over k = 0..63 of G[b[x-1-k]] * 2^k   (mod 2^64),
//    the value of h = (h << 1) + G[byte] after 64 or more bytes. It does not depend on where the chunk began.
// 3. The strict mask has log2(bytes_mean) + normalization one bits and the loose mask log2(bytes_mean) - normalization,
//    both from bit 62 downwards, so that a strict match is also a loose match. Neither includes bit 63.
// 4. A chunk that begins at offset s ends at the first x, with L = x - s, for which
//      bytes_min  <= L < bytes_mean and h(x) & strict mask == 0, or
//      bytes_mean <= L < bytes_max  and h(x) & loose mask == 0, or
//      L == bytes_max, or
//      x is the end of the stream (only this last chunk may be shorter than bytes_min).
//
// Since h(x) depends on 64 bytes only, Chunker::next (one pass, skipping bytes_min at each start) and Chunker::scan
// over any segments followed by CutResolver give the same cuts. Since the masks leave bit 63 free, h can advance two
// bytes per step and still be tested at both offsets: h(x+1) << 1 keeps every masked bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Stored in the repository's config.
struct ChunkParameters {
  std::uint32_t bytes_min = 8192;
  std::uint32_t bytes_mean = 16384;
  std::uint32_t bytes_max = 65534;  // the longest message that ipsec-mb can hash
  std::uint8_t normalization = 2;
  friend bool operator==(const ChunkParameters&, const ChunkParameters&) = default;
};

inline constexpr std::size_t kChunkWindowBytes = 64;
inline constexpr std::uint32_t kChunkBytesMax = 65534;

// bytes_mean must be a power of two in 512..32768, 64 <= bytes_min < bytes_mean < bytes_max <= 65534, and normalization
// at most 3. Errors: kUsage, naming the violated rule.
Result<void> validate(const ChunkParameters& parameters);

// A possible cut: before stream offset `offset_bytes`.
struct CutCandidate {
  std::uint64_t offset_bytes;
  bool strict;
  friend bool operator==(const CutCandidate&, const CutCandidate&) = default;
};

// What comes after the bytes that a call is given.
enum class Follows : std::uint8_t { kMoreBytes, kEndOfStream };

// Holds the gear table, 4 KiB with its shifted copy, and wipes it on destruction. All calls are const and thread-safe.
class Chunker {
 public:
  // Asserts that the parameters are valid. `key` has 32 bytes and is borrowed.
  Chunker(const ChunkParameters& parameters, ByteView key);
  Chunker(const Chunker&) = default;
  Chunker& operator=(const Chunker&) = default;
  ~Chunker();

  [[nodiscard]] const ChunkParameters& parameters() const { return parameters_; }

  // Returns the length of the chunk that begins at data[0], or 0 if these bytes do not determine it and more may
  // follow. With kEndOfStream, only empty `data` yields 0. After 0, the caller repeats the call from the
  // chunk's beginning with more bytes, so buffers should be many times bytes_max long.
  [[nodiscard]] std::size_t next(ByteView data, Follows follows) const;

  // Appends to `out`, in order, every candidate x with data_offset < x <= data_offset + data.size(), regardless of
  // chunk lengths. `before` holds the stream's bytes just before `data`: at least 63, or all of them if there are fewer
  // (asserted). Computes four hashes in parallel, but tests every offset.
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

// Applies the length limits of rule 4 to candidates. Takes the candidates of consecutive segments in stream order. One
// instance per stream, one thread at a time.
class CutResolver {
 public:
  // `begin_offset_bytes` is where the first chunk begins. Asserts that the parameters are valid.
  explicit CutResolver(const ChunkParameters& parameters, std::uint64_t begin_offset_bytes = 0);

  // `candidates` are all candidates after the previous call's `scanned_end_bytes` up to and including this call's.
  // Appends to `cuts` the end offset of every chunk that is now determined. With kEndOfStream, the stream and its last
  // chunk end at `scanned_end_bytes`.
  void resolve(std::span<const CutCandidate> candidates, std::uint64_t scanned_end_bytes, Follows follows,
               std::vector<std::uint64_t>& cuts);

  // The beginning of the first chunk whose end is not determined yet.
  [[nodiscard]] std::uint64_t chunk_begin_bytes() const { return chunk_begin_bytes_; }

 private:
  ChunkParameters parameters_;
  std::uint64_t chunk_begin_bytes_;
};

}  // namespace drs
