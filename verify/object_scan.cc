#include "verify/object_scan.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "codecs/sha256.h"
#include "io/failpoint.h"

namespace drs {

Result<Digest> ObjectScan::run(const ObjectKey& key, std::uint64_t bytes, std::span<const ScanRegion> regions,
                               const std::function<void(std::size_t, ByteView)>& visit) {
  for (const ScanRegion& region : regions) {
    if (region.bytes > memory_.headroom_bytes || region.offset_bytes > bytes ||
        region.bytes > bytes - region.offset_bytes) {
      return Error(ErrorCode::kCorrupt, "a section of " + std::to_string(region.bytes) + " bytes at offset " +
                                            std::to_string(region.offset_bytes) + " cannot lie in an object of " +
                                            std::to_string(bytes) + " bytes");
    }
  }
  Result<Digest> digest = sweep(key, bytes, regions, visit);
  for (std::size_t which = 0; which < pieces_.size(); ++which) {
    if (!pieces_[which].finished) static_cast<void>(finish(which));  // its buffer is in use until then
  }
  return digest;
}

Result<Digest> ObjectScan::sweep(const ObjectKey& key, std::uint64_t bytes, std::span<const ScanRegion> regions,
                                 const std::function<void(std::size_t, ByteView)>& visit) {
  Sha256 digest;
  std::size_t region = 0;
  std::size_t carried_bytes = 0;  // of the headroom, filled from the previous piece
  std::size_t which = 0;
  if (bytes > 0) start(which, key, 0, bytes);
  for (std::uint64_t offset = 0; offset < bytes; which = 1 - which) {
    DRS_RETURN_IF_ERROR(finish(which));
    // A bit that flips in memory: a test fails this point, and the scan goes on with the wrong byte.
    if (!failpoint("scan.flip").ok()) memory_.buffers[which][memory_.headroom_bytes] ^= 1;
    if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
    const std::size_t piece_bytes = pieces_[which].operation.destination.size();
    const std::uint64_t end = offset + piece_bytes;
    if (end < bytes) {
      start(1 - which, key, end, bytes);
      DRS_ASSIGN_OR_RETURN([[maybe_unused]] const std::size_t done, store_.run(false));
    }
    const ByteView window =
        memory_.buffers[which].subspan(memory_.headroom_bytes - carried_bytes, carried_bytes + piece_bytes);
    const std::uint64_t window_offset = offset - carried_bytes;
    digest.update(window.subspan(carried_bytes));
    progress_.bytes.fetch_add(piece_bytes, std::memory_order_relaxed);
    for (; region < regions.size() && regions[region].offset_bytes + regions[region].bytes <= end; ++region) {
      const auto at = static_cast<std::size_t>(regions[region].offset_bytes - window_offset);
      visit(region, window.subspan(at, regions[region].bytes));
    }
    carried_bytes = 0;
    if (region < regions.size() && regions[region].offset_bytes < end) {
      carried_bytes = static_cast<std::size_t>(end - regions[region].offset_bytes);
      std::memcpy(memory_.buffers[1 - which].data() + memory_.headroom_bytes - carried_bytes,
                  window.data() + window.size() - carried_bytes, carried_bytes);
    }
    offset = end;
  }
  return digest.finish();
}

void ObjectScan::start(std::size_t which, const ObjectKey& key, std::uint64_t offset_bytes,
                       std::uint64_t object_bytes) {
  const MutableByteView room = memory_.buffers[which].subspan(memory_.headroom_bytes);
  DRS_ASSERT(!room.empty(), "a scan needs room for its pieces");
  const auto piece_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), object_bytes - offset_bytes));
  Piece& piece = pieces_[which];
  piece.finished = false;
  piece.operation = GetOperation{.key = key,
                                 .offset_bytes = offset_bytes,
                                 .destination = room.first(piece_bytes),
                                 .done = [](GetOperation& get) { *static_cast<bool*>(get.owner) = true; },
                                 .owner = &piece.finished};
  store_.get(piece.operation);
}

Result<void> ObjectScan::finish(std::size_t which) {
  Piece& piece = pieces_[which];
  while (!piece.finished) {
    DRS_ASSERT(store_.in_flight() > 0, "a store lost an operation");
    DRS_ASSIGN_OR_RETURN([[maybe_unused]] const std::size_t done, store_.run(true));
  }
  DRS_ASSIGN_OR_RETURN(const std::size_t delivered, std::move(piece.operation.result));
  if (delivered < piece.operation.destination.size()) {
    return Error(ErrorCode::kTruncated, "it ends at byte " + std::to_string(piece.operation.offset_bytes + delivered) +
                                            ", but was listed as longer");
  }
  return {};
}

}  // namespace drs
