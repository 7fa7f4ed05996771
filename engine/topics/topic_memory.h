// How a memory ceiling is spent by an archive of topics and by a restore of one: one commented sum for each.
#pragma once

#include <cstddef>

#include "engine/pipeline/memory_plan.h"

namespace drs {

struct ArchiveMemory {
  PushMemory push;
  std::size_t client_bytes = 0;  // of the Kafka client: fetched batches and queued records
  std::size_t window = 0;        // partitions read at a time
};
// Errors: as plan_push.
Result<ArchiveMemory> plan_archive(const RunLimits& limits, CompressionChoice compression,
                                   const StoreNeeds& store = {});

}  // namespace drs
