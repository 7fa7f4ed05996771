// Where a push spends its time: CPU time and bytes of each stage, the waits of its threads, and the bottleneck that
// follows from them.
//
// Stages add from their own threads while the push runs; the totals are taken at its end. CPU time is that of the
// thread (CLOCK_THREAD_CPUTIME_ID), read once for each segment of 2 MiB or block of 1 MiB, not for each chunk.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace drs {

enum class PushStage : std::uint8_t {
  kRead,          // from the source, on the reader thread
  kCut,           // into chunks, on the reader thread
  kStreamDigest,  // SHA-256 and XXH3 of the whole stream, on a separate thread
  kHash,          // chunk ids; this stage and those up to kPackDigest run on the workers
  kDeduplicate,   // look-up, recipe, new blocks: the ordered step, one worker at a time
  kCompress,      // XXH3 of the block, compression
  kSeal,
  kDecodeBack,
  kPackDigest,  // SHA-256 of a finished pack
  kStore,       // puts, syncs and index objects, on the store thread
};
inline constexpr std::size_t kPushStages = 10;
std::string_view push_stage_name(PushStage stage);  // "read", "cut", "stream digest", ...

enum class PushWait : std::uint8_t {
  kForSource,   // the reader, for bytes
  kForBuffers,  // the reader, while every segment is in use: later stages are slower than the source
  kForWork,     // the workers, summed
  kForStore,    // workers, for a pack buffer that the store still holds; and `flush`, for the last packs
};
inline constexpr std::size_t kPushWaits = 4;

struct PushStats {
  struct Stage {
    std::uint64_t bytes = 0;
    std::uint64_t cpu_ns = 0;
  };
  std::array<Stage, kPushStages> stages;
  std::array<std::uint64_t, kPushWaits> wait_ns{};
  std::uint64_t wall_ns = 0;  // from the first read to the last durable pack
  std::uint64_t workers = 0;
  std::uint64_t cores = 0;              // that this process may use
  std::uint64_t copied_bytes = 0;       // payload bytes copied by a CPU, including reads from a pipe
  std::uint64_t segments = 0;           // buffers for the stream
  std::uint64_t segments_free_min = 0;  // the fewest that were free at any moment
  std::uint64_t pack_buffers = 0;
  std::uint64_t pack_buffers_free_min = 0;

  [[nodiscard]] const Stage& stage(PushStage which) const { return stages[static_cast<std::size_t>(which)]; }
  [[nodiscard]] std::uint64_t wait(PushWait which) const { return wait_ns[static_cast<std::size_t>(which)]; }
  [[nodiscard]] std::uint64_t cpu_ns() const;  // of all stages
};

enum class Bottleneck : std::uint8_t { kSource, kReader, kStreamDigest, kStore, kCpu };
// The part of the push that limits its speed.
Bottleneck bottleneck(const PushStats& stats);
std::string_view bottleneck_name(Bottleneck which);  // "source", "reader", "stream digest", "store", "cpu"
// The same as a sentence for the operator, with advice.
std::string explain_bottleneck(const PushStats& stats);

// Collects the statistics. Thread-safe.
class PushMeter {
 public:
  void add(PushStage stage, std::uint64_t bytes, std::chrono::nanoseconds cpu);
  void add(PushWait wait, std::chrono::nanoseconds wall);
  // Stages and waits so far; the caller fills in the other fields of PushStats.
  [[nodiscard]] PushStats totals() const;

 private:
  struct Cell {
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> cpu_ns{0};
  };
  std::array<Cell, kPushStages> stages_;
  std::array<std::atomic<std::uint64_t>, kPushWaits> wait_ns_{};
};

// CPU time of the calling thread.
std::chrono::nanoseconds thread_cpu_time();

// Measures stretches of work of one thread: from construction, or the last call, to the next call. Wall time without
// CPU time can be recorded as a wait.
class StretchClock {
 public:
  explicit StretchClock(PushMeter& meter);
  // Records the CPU time under `stage`.
  void stage(PushStage stage, std::uint64_t bytes);
  // Records the CPU time under `stage`, the rest of the wall time under `wait`.
  void stage(PushStage stage, std::uint64_t bytes, PushWait wait);
  // Records all of the wall time under `wait`.
  void wait(PushWait wait);
  // Starts the next stretch without recording this one.
  void restart();

 private:
  PushMeter& meter_;
  std::chrono::nanoseconds cpu_{};
  std::chrono::steady_clock::time_point wall_;
};

}  // namespace drs
