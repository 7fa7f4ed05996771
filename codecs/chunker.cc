#include "codecs/chunker.h"

#include <algorithm>
#include <bit>

#include "codecs/hkdf.h"

namespace drs {
namespace {

constexpr std::string_view kGearLabel = "drstream/1/gear";  // stored behaviour; docs/FORMAT.md, "Cutting"

// Sets `bit_count` bits from bit 62 downwards.
std::uint64_t mask_of(int bit_count) {
  return ((std::uint64_t{1} << bit_count) - 1) << (63 - bit_count);
}

}  // namespace

Result<void> validate(const ChunkParameters& parameters) {
  const auto refuse = [](const char* rule) {
    return Error(ErrorCode::kUsage, std::string("chunk parameters: ") + rule);
  };
  if (!std::has_single_bit(parameters.bytes_mean) || parameters.bytes_mean < 512 || parameters.bytes_mean > 32768) {
    return refuse("the mean must be a power of two from 512 to 32768");
  }
  if (parameters.bytes_min < kChunkWindowBytes) return refuse("the minimum must be at least 64");
  if (parameters.bytes_min >= parameters.bytes_mean) return refuse("the minimum must be below the mean");
  if (parameters.bytes_max <= parameters.bytes_mean) return refuse("the maximum must be above the mean");
  if (parameters.bytes_max > kChunkBytesMax) return refuse("the maximum must be at most 65534");
  if (parameters.normalization > 3) return refuse("normalization must be at most 3");
  return {};
}

Chunker::Chunker(const ChunkParameters& parameters, ByteView key) : parameters_(parameters) {
  DRS_ASSERT(validate(parameters).ok(), "chunk parameters were not validated");
  DRS_ASSERT(key.size() == 32, "a cutting key has 32 bytes");
  const int mean_bits = std::countr_zero(parameters.bytes_mean);
  masks_ = {mask_of(mean_bits + parameters.normalization), mask_of(mean_bits - parameters.normalization)};
  hkdf_sha256(key, {}, as_bytes(kGearLabel), {reinterpret_cast<Byte*>(gear_.data()), sizeof gear_});
  std::transform(gear_.begin(), gear_.end(), gear_shifted_.begin(), [](std::uint64_t g) { return g << 1; });
}

Chunker::~Chunker() {
  wipe({reinterpret_cast<Byte*>(gear_.data()), sizeof gear_});
  wipe({reinterpret_cast<Byte*>(gear_shifted_.data()), sizeof gear_shifted_});
}

std::uint64_t Chunker::warm(std::uint64_t hash, ByteView bytes) const {
  for (const Byte b : bytes) hash = (hash << 1) + gear_[b];
  return hash;
}

// Returns the first length in [begin, end) at which the hash matches, or 0. `hash` covers the bytes before
// data[begin - 1]; after a call without a match, the bytes before data[end - 1].
std::size_t Chunker::find_match(ByteView data, std::size_t begin, std::size_t end, std::uint64_t mask,
                                std::uint64_t& hash) const {
  const Byte* const bytes = data.data() - 1;  // bytes[length] is the last byte of a chunk of that length
  const std::uint64_t mask_shifted = mask << 1;
  std::uint64_t h = hash;
  std::size_t length = begin;
  for (; length + 1 < end; length += 2) {
    const std::uint64_t h_shifted = (h << 2) + gear_shifted_[bytes[length]];
    if ((h_shifted & mask_shifted) == 0) [[unlikely]]
      return length;
    h = h_shifted + gear_[bytes[length + 1]];
    if ((h & mask) == 0) [[unlikely]]
      return length + 1;
  }
  if (length < end) {
    h = (h << 1) + gear_[bytes[length]];
    if ((h & mask) == 0) return length;
  }
  hash = h;
  return 0;
}

std::size_t Chunker::next(ByteView data, Follows follows) const {
  const std::size_t min = parameters_.bytes_min;
  const std::size_t mean = parameters_.bytes_mean;
  const std::size_t max = parameters_.bytes_max;
  // Lengths up to data.size() can be tested; bytes_max needs no test.
  const std::size_t end = std::min(data.size() + 1, max);
  if (end > min) {
    std::uint64_t hash = warm(0, data.subspan(min - kChunkWindowBytes, kChunkWindowBytes - 1));
    if (const std::size_t length = find_match(data, min, std::min(mean, end), masks_.strict, hash)) return length;
    if (end > mean) {
      if (const std::size_t length = find_match(data, mean, end, masks_.loose, hash)) return length;
    }
    if (data.size() >= max) return max;
  }
  return follows == Follows::kEndOfStream ? data.size() : 0;
}

void Chunker::scan(ByteView before, ByteView data, std::uint64_t data_offset_bytes,
                   std::vector<CutCandidate>& out) const {
  constexpr std::size_t kBefore = kChunkWindowBytes - 1;
  DRS_ASSERT(before.size() >= kBefore || before.size() >= data_offset_bytes,
             "the bytes before the segment are missing");
  const std::size_t first_new = out.size();
  const auto note = [&](std::uint64_t hash, std::size_t index) {
    out.push_back({data_offset_bytes + index + 1, (hash & masks_.strict) == 0});
  };
  const std::uint64_t loose = masks_.loose;
  const std::uint64_t loose_shifted = loose << 1;

  std::uint64_t h0 = warm(0, before.last(std::min(before.size(), kBefore)));
  std::size_t scanned_bytes = 0;
  // Scans four quarters in parallel: one hash is a chain of dependent additions, four keep the core busy.
  const std::size_t lane_bytes = data.size() / 4 & ~std::size_t{1};
  if (lane_bytes >= kChunkWindowBytes) {
    const Byte* const p0 = data.data();
    const Byte* const p1 = p0 + lane_bytes;
    const Byte* const p2 = p1 + lane_bytes;
    const Byte* const p3 = p2 + lane_bytes;
    std::uint64_t h1 = warm(0, {p1 - kBefore, kBefore});
    std::uint64_t h2 = warm(0, {p2 - kBefore, kBefore});
    std::uint64_t h3 = warm(0, {p3 - kBefore, kBefore});
    for (std::size_t i = 0; i < lane_bytes; i += 2) {
      const std::uint64_t s0 = (h0 << 2) + gear_shifted_[p0[i]];
      const std::uint64_t s1 = (h1 << 2) + gear_shifted_[p1[i]];
      const std::uint64_t s2 = (h2 << 2) + gear_shifted_[p2[i]];
      const std::uint64_t s3 = (h3 << 2) + gear_shifted_[p3[i]];
      h0 = s0 + gear_[p0[i + 1]];
      h1 = s1 + gear_[p1[i + 1]];
      h2 = s2 + gear_[p2[i + 1]];
      h3 = s3 + gear_[p3[i + 1]];
      const auto test = [&](std::uint64_t shifted, std::uint64_t hash, const Byte* lane) {
        const std::size_t index = static_cast<std::size_t>(lane - p0) + i;
        if ((shifted & loose_shifted) == 0) [[unlikely]]
          note(shifted >> 1, index);
        if ((hash & loose) == 0) [[unlikely]]
          note(hash, index + 1);
      };
      test(s0, h0, p0);
      test(s1, h1, p1);
      test(s2, h2, p2);
      test(s3, h3, p3);
    }
    h0 = h3;
    scanned_bytes = 4 * lane_bytes;
  }
  for (std::size_t index = scanned_bytes; index < data.size(); ++index) {
    h0 = (h0 << 1) + gear_[data[index]];
    if ((h0 & loose) == 0) note(h0, index);
  }
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(first_new), out.end(),
            [](const CutCandidate& a, const CutCandidate& b) { return a.offset_bytes < b.offset_bytes; });
}

CutResolver::CutResolver(const ChunkParameters& parameters, std::uint64_t begin_offset_bytes)
    : parameters_(parameters), chunk_begin_bytes_(begin_offset_bytes) {
  DRS_ASSERT(validate(parameters).ok(), "chunk parameters were not validated");
}

void CutResolver::resolve(std::span<const CutCandidate> candidates, std::uint64_t scanned_end_bytes, Follows follows,
                          std::vector<std::uint64_t>& cuts) {
  const auto cut_at = [&](std::uint64_t offset_bytes) {
    cuts.push_back(offset_bytes);
    chunk_begin_bytes_ = offset_bytes;
  };
  const auto cut_full_chunks_until = [&](std::uint64_t offset_bytes) {
    while (offset_bytes >= chunk_begin_bytes_ + parameters_.bytes_max) {
      cut_at(chunk_begin_bytes_ + parameters_.bytes_max);
    }
  };
  for (const CutCandidate& candidate : candidates) {
    cut_full_chunks_until(candidate.offset_bytes);
    if (candidate.offset_bytes < chunk_begin_bytes_ + parameters_.bytes_min) continue;
    const std::uint64_t length = candidate.offset_bytes - chunk_begin_bytes_;
    if (candidate.strict || length >= parameters_.bytes_mean) cut_at(candidate.offset_bytes);
  }
  cut_full_chunks_until(scanned_end_bytes);
  if (follows == Follows::kEndOfStream && scanned_end_bytes > chunk_begin_bytes_) cut_at(scanned_end_bytes);
}

}  // namespace drs
