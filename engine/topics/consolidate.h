// Keeps the number of segment streams of an archive small: a run rewrites the records of the smallest ones, and of
// those that are mostly dead, into its own. Every run adds a stream, and a manifest names at most 8,192. A stream that
// is damaged where no extent needs it is rewritten, too: a snapshot that names it counts as damaged.
#pragma once

#include <cstdint>

#include "engine/format/manifest_bounds.h"
#include "engine/topics/archive_plan.h"
#include "engine/topics/reuse_check.h"
#include "engine/topics/segment_writer.h"
#include "engine/topics/topic_view.h"
#include "io/base/run_control.h"

namespace drs {

// The stream of extents that this run writes, until the streams are numbered.
inline constexpr std::uint32_t kStreamOfThisRun = ~std::uint32_t{0};

struct ConsolidationLimits {
  std::size_t streams_max = 1024;       // above: down to three quarters of it
  std::uint64_t bytes_max = 10 * kGiB;  // of payload to rewrite, unless the manifest would be full
  unsigned live_percent_min = 30;       // below: the stream is rewritten
  // From here on streams are rewritten whatever they have: two more fit, the catalogue and that of the run.
  std::size_t streams_full = kManifestStreamsMax - 2;
};

// Replaces extents of the plan, of `last`, by new ones in `segment`; those that are lost stay as they are. Warns in the
// plan of damage that `limits` leave. Returns the payload bytes that it rewrote. Errors: damage, the store's;
// SegmentWriter's; kCancelled.
Result<std::uint64_t> consolidate(ArchivePlan& plan, TopicView& last, ReuseCheck& reuse, SegmentWriter& segment,
                                  const ConsolidationLimits& limits, const RunControl& control);

}  // namespace drs
