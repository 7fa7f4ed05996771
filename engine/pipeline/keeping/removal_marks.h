// The removal marks that a forget leaves. Nothing is deleted: a marked snapshot is not live any more, and a prune gives
// its space back later. Until then `unforget` can bring it back.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/format/marks.h"
#include "engine/pipeline/keeping/forget.h"
#include "engine/repository/repository.h"
#include "io/base/cancel.h"
#include "io/base/result.h"

namespace drs {

inline constexpr std::size_t kRemovalReasonBytesMax = 1000;

// The marks of what goes, in the order of the plan. `reason`: for people; cut to kRemovalReasonBytesMax.
std::vector<RemovedMark> removal_marks(std::span<const PlannedStream> plan, WallNs now_ns, const std::string& reason);

// The mark of a manifest that cannot be read, one of catalog.broken, or that is gone without a mark, one of
// catalog.missing. Its digest is that of the manifest's bytes, or of none if these could not be read. Its number is the
// highest that the manifest may have had, so that no later push is given that number. Errors: kUsage (`name` is that of
// a live snapshot, or of no manifest); kFormatTooNew (a newer drstream wrote it); kLimitMissed (it is held);
// kNoSnapshot (there is none).
Result<RemovedMark> damaged_removal_mark(const ForgetSources& sources, const std::string& name, WallNs now_ns,
                                         const std::string& reason);

struct MarksReport {
  std::uint64_t written = 0;
  std::uint64_t present = 0;  // that another forget has written
  // By the manifest: kCorrupt, another object has the name of its mark. The snapshot stays.
  std::map<std::string, Error> refused;
};
// Stores the marks, each create-if-absent and settled, several at a time. On error some are stored; a repetition skips
// them. Errors: kCancelled, the store's.
// Threads: that of the repository; starts others for the puts.
Result<MarksReport> write_removal_marks(Repository& repository, std::span<const RemovedMark> marks,
                                        const CancelToken& cancel);

}  // namespace drs
