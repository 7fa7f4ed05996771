// The holes of a restore that goes on behind damage: which bytes of the stream are lost, and why.
//
// A restore adds holes in the order of the stream. Neighbours with the same cause become one. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Why bytes of a stream cannot be restored.
struct Loss {
  enum class Cause : std::uint8_t { kMissing, kDamaged, kTooNew };
  enum class Part : std::uint8_t { kData, kRecipe };
  Cause cause = Cause::kDamaged;
  Part part = Part::kData;     // the block with the bytes, or the recipe block that says which blocks have them
  std::optional<Digest> pack;  // that has or had the block; empty if nothing says which
  friend bool operator==(const Loss&, const Loss&) = default;
};

// The cause that the error of reading a block states. `error` must be an object fault (io/base/error_class.h).
Loss::Cause cause_of(const Error& error);

struct Hole {
  std::uint64_t stream_offset_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t output_offset_bytes = 0;  // where its zeros begin in the output, or where they were left out
  Loss loss;
  friend bool operator==(const Hole&, const Hole&) = default;
};

// What the output has in the place of lost bytes.
enum class HoleFill : std::uint8_t { kZeros, kOmitted };

class HoleMap {
 public:
  // 5 MiB of memory. A restore with more holes ends with an error: a map that leaves some out would be wrong.
  static constexpr std::size_t kHolesMax = 64 * 1024;

  explicit HoleMap(HoleFill fill, std::size_t holes_max = kHolesMax) : fill_(fill), holes_max_(holes_max) {}

  [[nodiscard]] HoleFill fill() const { return fill_; }
  // Adds a hole that begins at or behind the end of the last one. Errors: kCorrupt (it would be one too many; the text
  // says what to do).
  Result<void> add(const Hole& hole);
  [[nodiscard]] const std::vector<Hole>& holes() const { return holes_; }
  // Bytes in all holes.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  const HoleFill fill_;
  const std::size_t holes_max_;
  std::vector<Hole> holes_;
  std::uint64_t bytes_ = 0;
};

}  // namespace drs
