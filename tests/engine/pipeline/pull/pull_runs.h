// One run of pull on a small budget, with everything it needs.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "engine/pipeline/pull/pull.h"
#include "engine/pipeline/pull/restore_buffers.h"
#include "tests/engine/pipeline/repository_fixture.h"

namespace drs::test {

inline PullMemory budget(std::size_t workers, std::size_t block_buffers, std::size_t sealed_buffers) {
  PullMemory memory;
  memory.workers = workers;
  memory.block_buffers = block_buffers;
  memory.sealed_buffers = sealed_buffers;
  memory.index_cache_bytes = 1 * kMiB;
  memory.arena_bytes =
      block_buffers * kBlockBytesMax + sealed_buffers * kSealedBufferBytes + workers * kRestoreScratchBytes;
  return memory;
}

struct PullRun {
  PullRun(RepositoryFixture& fixture, const Snapshot& snapshot, const PullMemory& memory,
          const PullOptions& options = {}, const std::function<void(PullRun&)>& prepare = nullptr) {
    if (prepare) prepare(*this);
    auto arena = BufferArena::map(memory.arena_bytes);
    DRS_ASSERT(arena.ok(), "no memory for the test");
    report = pull(fixture.repository(), snapshot, sink, options, {memory, *arena}, {progress, cancel});
  }
  PullRun(const PullRun&) = delete;
  PullRun& operator=(const PullRun&) = delete;

  CollectingSink sink;
  ProgressCounters progress;
  CancelToken cancel;
  Result<PullReport> report = Error(ErrorCode::kInternal, "not run");
};

}  // namespace drs::test
