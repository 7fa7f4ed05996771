// Reads a stored object once, from its first byte to its last, in pieces of bounded size. Computes its SHA-256 and
// passes the regions that a check asks for to the caller. The next piece is being read while the current one is
// processed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/base/bytes.h"
#include "io/base/cancel.h"
#include "io/base/progress.h"
#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

struct ScanRegion {
  std::uint64_t offset_bytes = 0;
  std::uint32_t bytes = 0;
};

// The longest region: a sealed block.
inline constexpr std::size_t kScanRegionBytesMax = kBlockBytesMax + kSealBytes;

// Two buffers of the same size. Each holds headroom for the beginning of a region that the previous piece cut off, then
// the piece.
struct ScanBuffers {
  std::array<MutableByteView, 2> buffers;
  std::size_t headroom_bytes = 0;  // a multiple of kPageBytes, so that pieces stay aligned for direct reads
};

// One instance, one thread.
class ObjectScan {
 public:
  // `store` and the memory must outlive the scan.
  ObjectScan(ObjectStore& store, const ScanBuffers& memory, ProgressCounters& progress, CancelToken& cancel)
      : store_(store), memory_(memory), progress_(progress), cancel_(cancel) {}

  // Returns the SHA-256 of the `bytes` bytes under `key`. Calls `visit(region, its bytes)` for each of `regions`, which
  // must be sorted by offset. No operation is in flight when it returns. Errors: kTruncated (the object is shorter than
  // `bytes`); kCorrupt (a region is longer than the headroom or lies outside the object); kCancelled; the store's.
  Result<Digest> run(const ObjectKey& key, std::uint64_t bytes, std::span<const ScanRegion> regions,
                     const std::function<void(std::size_t region, ByteView bytes)>& visit);
  Result<Digest> run(const ObjectKey& key, std::uint64_t bytes) { return run(key, bytes, {}, nullptr); }

 private:
  struct Piece {
    GetOperation operation;
    bool finished = true;
  };
  void start(std::size_t which, const ObjectKey& key, std::uint64_t offset_bytes, std::uint64_t object_bytes);
  Result<void> finish(std::size_t which);
  Result<Digest> sweep(const ObjectKey& key, std::uint64_t bytes, std::span<const ScanRegion> regions,
                       const std::function<void(std::size_t, ByteView)>& visit);

  ObjectStore& store_;
  const ScanBuffers memory_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  std::array<Piece, 2> pieces_;
};

}  // namespace drs
