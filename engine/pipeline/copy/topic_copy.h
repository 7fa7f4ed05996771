// Copies an archive of topics into a repository with other keys: each of its streams, byte for byte. Streams that the
// target's latest archive of the same name has are named again, not copied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/pipeline/copy/copy.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/run_control.h"

namespace drs {

struct TopicCopyReport {
  Snapshot made;  // in the target
  std::uint64_t read_bytes = 0;
  std::uint64_t healed_blocks = 0;
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;
  std::vector<std::string> warnings;
};

// All of it outlives the copy.
struct TopicCopyInput {
  Repository& source;
  const Snapshot& snapshot;
  Repository& target;
  const CopyOptions& options;
  const CopyMemory& memory;
};
// Errors of the source's objects are returned with `source_fault` set: these are damage of the source, not of this
// copy. Errors: as pull and push.
Result<TopicCopyReport> copy_topics(const TopicCopyInput& in, const RunControl& control, bool& source_fault);

}  // namespace drs
