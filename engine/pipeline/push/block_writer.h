// Writes streams whose caller makes the blocks itself: every buffer that it appends becomes one data block. The stages
// are those of a push, without the chunker and without deduplication. Several streams of one session may follow one
// another.
//
//   buffers -> hash (16 chunks of equal size) -> (in order) recipe -> compress, seal, decode back -> packs -> store
//                           \-> SHA-256 and XXH3 of the whole stream, in parallel
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/push/push_stages.h"
#include "engine/pipeline/push/recipe_writer.h"
#include "engine/pipeline/push/stream_digest.h"
#include "engine/repository/write_session.h"
#include "io/base/run_control.h"

namespace drs {

// The most bytes of a block: 16 chunks of the largest size.
inline constexpr std::size_t kWholeBlockBytesMax = 16 * 65'534;

// Threads: one thread at a time.
class BlockWriter {
 public:
  struct Options {
    CompressionChoice compression;
    bool read_back = true;
    bool stream_sha256 = true;
  };
  // Starts the threads. All arguments except `options` outlive the writer. A cancel of `control` makes every call fail.
  // Errors: the store's; kBusy (no memory for a codec, no thread available).
  static Result<std::unique_ptr<BlockWriter>> open(Repository& repository, const WriteSession& session,
                                                   const PushBudget& budget, const RunControl& control,
                                                   const Options& options);
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  // Waits for a free buffer of at least kWholeBlockBytesMax bytes. Errors: the first failure of any stage.
  Result<PooledBuffer> acquire();
  // Appends the first `bytes` of `buffer` (1 to kWholeBlockBytesMax) to the current stream, as one block. Returns their
  // offset in the stream. Errors: as acquire; that of a heartbeat.
  Result<std::uint64_t> append(PooledBuffer buffer, std::size_t bytes);
  // The length of the current stream so far.
  [[nodiscard]] std::uint64_t stream_bytes() const { return offset_bytes_; }
  // Ends the current stream and begins the next one. Errors: as acquire; kUsage (more recipe parts than a manifest can
  // name).
  Result<ManifestStream> end_stream(std::string label);
  // Waits until all blocks, packs and index objects are durable. To be called after the last stream. Errors: as
  // acquire.
  Result<void> finish();

  struct Totals {
    std::uint64_t bytes = 0;         // of all streams
    std::uint64_t stored_bytes = 0;  // sealed data blocks
    PackWriter::Totals packs;
  };
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] PushStats stats() const;
  // After `finish`: the packs and index objects that were put, to be secured again after a long run.
  [[nodiscard]] const std::vector<ObjectKey>& own_objects() const { return own_objects_; }

 private:
  BlockWriter(const WriteSession& session, std::unique_ptr<PushStages> stages, const RunControl& control,
              const Options& options);
  Result<void> start(const Repository& repository);
  Result<void> begin_stream();  // if none has begun
  Result<void> take_segment(const std::shared_ptr<Segment>& segment);
  void take_published();

  const WriteSession& session_;
  const RunControl control_;
  const Options options_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  BlockIds ids_;
  std::size_t chunk_bytes_min_ = 0;
  std::unique_ptr<PushStages> stages_;
  // Of the current stream, if one has begun; used by the worker in the ordered step.
  std::unique_ptr<RecipeWriter> recipe_;
  std::uint64_t chunk_count_ = 0;

  std::unique_ptr<StreamDigest> digest_;
  std::uint64_t offset_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
  std::vector<ObjectKey> own_objects_;
  const CancelToken::Registration cancelling_;
};

}  // namespace drs
