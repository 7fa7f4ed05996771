#include "engine/pipeline/pull/hole_map.h"

#include <string>

#include "io/base/error_class.h"

namespace drs {

Loss::Cause cause_of(const Error& error) {
  DRS_ASSERT(is_object_fault(error), "only damaged and missing objects leave holes");
  if (is_absent(error)) return Loss::Cause::kMissing;
  return is_too_new(error) ? Loss::Cause::kTooNew : Loss::Cause::kDamaged;
}

Result<void> HoleMap::add(const Hole& hole) {
  DRS_ASSERT(hole.bytes > 0, "a hole without bytes");
  if (!holes_.empty()) {
    Hole& last = holes_.back();
    const std::uint64_t end_bytes = last.stream_offset_bytes + last.bytes;
    DRS_ASSERT(hole.stream_offset_bytes >= end_bytes, "holes that are not in the order of the stream");
    if (hole.stream_offset_bytes == end_bytes && hole.loss == last.loss) {
      last.bytes += hole.bytes;
      bytes_ += hole.bytes;
      return {};
    }
  }
  if (holes_.size() == holes_max_)
    return Error(ErrorCode::kCorrupt, "more than " + std::to_string(holes_max_) + " holes before byte " +
                                          std::to_string(hole.stream_offset_bytes) +
                                          " of the stream: restore it in parts, with --offset and --length");
  holes_.push_back(hole);
  bytes_ += hole.bytes;
  return {};
}

}  // namespace drs
