// How a memory ceiling is spent by an archive of topics: one commented sum.
#pragma once

#include <cstddef>

#include "engine/pipeline/memory_plan.h"

namespace drs {

// The share of the Kafka client that reads: fetched batches and queued records.
std::size_t reading_client_bytes(std::size_t memory_bytes);

struct ArchiveMemory {
  PushMemory push;
  std::size_t client_bytes = 0;  // reading_client_bytes
  std::size_t window = 0;        // partitions read at a time
};
// Errors: as plan_push.
Result<ArchiveMemory> plan_archive(const RunLimits& limits, CompressionChoice compression,
                                   const StoreNeeds& store = {});

}  // namespace drs
