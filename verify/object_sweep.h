// Reads a stored object once, from its first byte to its last, in pieces of bounded size: computes its SHA-256 and
// hands out the regions that a check wants to look at as they pass. The next piece is on its way while this one is
// worked on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/bytes.h"
#include "io/cancel.h"
#include "io/progress.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

struct SweepRegion {
  std::uint64_t offset_bytes = 0;
  std::uint32_t bytes = 0;
};

// The longest region: a sealed block.
inline constexpr std::size_t kSweepRegionBytesMax = kBlockBytesMax + kSealBytes;

// Two buffers of one size: headroom for the beginning of a region that the piece before cut off, then the piece.
struct SweepBuffers {
  std::array<MutableByteView, 2> buffers;
  std::size_t headroom_bytes = 0;  // a multiple of 4096, so that pieces stay aligned for direct reads
};

// One instance, one thread.
class ObjectSweep {
 public:
  // `store` and the memory must outlive the sweep.
  ObjectSweep(ObjectStore& store, const SweepBuffers& memory, ProgressCounters& progress, CancelToken& cancel)
      : store_(store), memory_(memory), progress_(progress), cancel_(cancel) {}

  // The SHA-256 of the `bytes` bytes under `key`. Calls `visit(region, its bytes)` for each of `regions`, which must be
  // sorted by offset. Errors: kTruncated when the object is shorter than `bytes`; kCorrupt when a region is longer than
  // the headroom or lies outside; kCancelled; the store's. Nothing is in flight when it returns.
  Result<Digest> run(const ObjectKey& key, std::uint64_t bytes, std::span<const SweepRegion> regions,
                     const std::function<void(std::size_t region, ByteView bytes)>& visit);
  Result<Digest> run(const ObjectKey& key, std::uint64_t bytes) { return run(key, bytes, {}, nullptr); }

 private:
  struct Piece {
    GetOperation operation;
    bool finished = true;
  };
  void start(std::size_t which, const ObjectKey& key, std::uint64_t offset_bytes, std::uint64_t object_bytes);
  Result<void> finish(std::size_t which);
  Result<Digest> sweep(const ObjectKey& key, std::uint64_t bytes, std::span<const SweepRegion> regions,
                       const std::function<void(std::size_t, ByteView)>& visit);

  ObjectStore& store_;
  const SweepBuffers memory_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  std::array<Piece, 2> pieces_;
};

}  // namespace drs
