// Streams of known and new chunks led past a DedupIndex as the ordered step of a push does it, segment by segment, with
// every answer checked against what the synthetic repository really holds. Threads: one at a time.
#pragma once

#include <vector>

#include "bench/synthetic_repository.h"
#include "engine/pipeline/push/dedup_index.h"

namespace drs::bench {

class DedupWalk {
 public:
  static constexpr std::size_t kSegmentChunks = 128;  // 2 MiB

  struct Totals {
    std::uint64_t chunks = 0;
    std::uint64_t known = 0;      // of them in the repository
    std::uint64_t lost = 0;       // known, and yet to be stored again
    std::uint64_t rewritten = 0;  // found, but only in a sparse block
    StoreWork store;
    std::chrono::nanoseconds spent{};  // in the engine, the store's answers not counted
  };

  DedupWalk(SyntheticRepository& repository, DedupIndex& dedup, SessionBlocks& blocks)
      : objects_(*repository.objects), dedup_(dedup), blocks_(blocks) {}

  // Leads `stream` past the index. `stream_offset_bytes`: where it stands in a stream whose last snapshot the index
  // knows; kNowhere: nothing is loaded ahead. Errors: kInternal when the index gave a wrong answer; the store's.
  static constexpr std::uint64_t kNowhere = UINT64_MAX;
  Result<Totals> run(const std::vector<StreamChunk>& stream, std::uint64_t stream_offset_bytes);

 private:
  struct Looked {
    ChunkId id;
    DedupIndex::Answer answer;
  };
  Result<void> find_segment(std::uint64_t stream_offset_bytes, Totals& totals);
  Result<void> judge(const StreamChunk& chunk, const Looked& looked, Totals& totals);
  void store_new(const ChunkId& id, Totals& totals);

  SyntheticObjects& objects_;
  DedupIndex& dedup_;
  SessionBlocks& blocks_;
  std::vector<Looked> segment_;
  std::shared_ptr<std::vector<ChunkEntry>> block_;  // new chunks of a block not complete yet
  std::uint64_t counter_ = 0;
  std::uint64_t drawn_ = 0;  // new chunks so far
};

}  // namespace drs::bench
