// How fast the records of an archive can be read: for the expected time of a restore.
#pragma once

#include <chrono>
#include <vector>

#include "engine/pipeline/pull/range_restore.h"
#include "engine/topics/restore_plan.h"
#include "engine/topics/topic_view.h"
#include "io/base/clock.h"

namespace drs {

inline constexpr std::chrono::seconds kReadRateSample{3};

// Reads the first of the chosen records for so long, or all of them, and decodes them. Returns bytes of keys, values
// and headers a second; 0: there are no records. `restore` must not be used afterwards. Errors: damage, the store's,
// kCancelled.
Result<double> sample_read_rate(TopicView& view, const std::vector<ChosenTopic>& topics, RangeRestore& restore,
                                const Clock& clock);

}  // namespace drs
