#include "engine/pipeline/push/push_stats.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace drs {
namespace {

// A thread with at least this CPU share of the wall time is saturated: the others wait for it.
constexpr double kSaturatedShare = 0.9;
// A wait of at least this share of the wall time limits the push.
constexpr double kWaitingShare = 0.2;

double share(std::uint64_t part_ns, std::uint64_t whole_ns) {
  return whole_ns == 0 ? 0 : static_cast<double>(part_ns) / static_cast<double>(whole_ns);
}

std::string whole_percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f %%", share * 100);
  return text.data();
}

}  // namespace

std::string_view push_stage_name(PushStage stage) {
  switch (stage) {
    case PushStage::kRead: return "read";
    case PushStage::kCut: return "cut";
    case PushStage::kStreamDigest: return "stream digest";
    case PushStage::kHash: return "hash";
    case PushStage::kDeduplicate: return "deduplicate";
    case PushStage::kCompress: return "compress";
    case PushStage::kSeal: return "seal";
    case PushStage::kDecodeBack: return "decode back";
    case PushStage::kPackDigest: return "pack digest";
    case PushStage::kStore: return "store";
  }
  return "";
}

std::string_view bottleneck_name(Bottleneck which) {
  switch (which) {
    case Bottleneck::kSource: return "source";
    case Bottleneck::kReader: return "reader";
    case Bottleneck::kStreamDigest: return "stream digest";
    case Bottleneck::kStore: return "store";
    case Bottleneck::kCpu: return "cpu";
  }
  return "";
}

std::uint64_t PushStats::cpu_ns() const {
  std::uint64_t sum = 0;
  for (const Stage& stage : stages) sum += stage.cpu_ns;
  return sum;
}

Bottleneck bottleneck(const PushStats& stats) {
  const std::uint64_t reader_ns = stats.stage(PushStage::kRead).cpu_ns + stats.stage(PushStage::kCut).cpu_ns;
  if (share(reader_ns, stats.wall_ns) >= kSaturatedShare) return Bottleneck::kReader;
  if (share(stats.stage(PushStage::kStreamDigest).cpu_ns, stats.wall_ns) >= kSaturatedShare)
    return Bottleneck::kStreamDigest;
  const double store = share(stats.wait(PushWait::kForStore), stats.wall_ns);
  const double source = share(stats.wait(PushWait::kForSource), stats.wall_ns);
  const double cpu = share(stats.cpu_ns(), stats.wall_ns * std::max<std::uint64_t>(stats.cores, 1));
  // If all cores are busy, a wait includes waiting for a core.
  if (cpu < kSaturatedShare && std::max(store, source) >= kWaitingShare)
    return store > source ? Bottleneck::kStore : Bottleneck::kSource;
  return Bottleneck::kCpu;
}

std::string explain_bottleneck(const PushStats& stats) {
  const std::uint64_t wall_ns = stats.wall_ns;
  switch (bottleneck(stats)) {
    case Bottleneck::kSource:
      return "the source: drstream waited for it " + whole_percent(share(stats.wait(PushWait::kForSource), wall_ns)) +
             " of the time; a faster producer or disk makes this push faster";
    case Bottleneck::kReader:
      return "the thread that reads and cuts the stream: a stream has only one; a second stream pushed in parallel "
             "uses the remaining cores";
    case Bottleneck::kStreamDigest:
      return "the SHA-256 of the whole stream, which only one thread can compute; --no-stream-sha256 omits it";
    case Bottleneck::kStore:
      return "the store: finished packs waited for it " +
             whole_percent(share(stats.wait(PushWait::kForStore), wall_ns)) +
             " of the time; a faster disk or network makes this push faster, more --memory bridges short stalls";
    case Bottleneck::kCpu: break;
  }
  const auto* const most = std::max_element(stats.stages.begin(), stats.stages.end(),
                                            [](const auto& a, const auto& b) { return a.cpu_ns < b.cpu_ns; });
  const auto which = static_cast<PushStage>(most - stats.stages.begin());
  return "the CPU: " + whole_percent(share(stats.cpu_ns(), wall_ns * std::max<std::uint64_t>(stats.cores, 1))) +
         " of " + std::to_string(stats.cores) + (stats.cores == 1 ? " core" : " cores") + " busy, most of it (" +
         whole_percent(share(most->cpu_ns, stats.cpu_ns())) + ") to " + std::string(push_stage_name(which)) +
         "; more cores make this push faster";
}

void PushMeter::add(PushStage stage, std::uint64_t bytes, std::chrono::nanoseconds cpu) {
  Cell& cell = stages_[static_cast<std::size_t>(stage)];
  cell.bytes.fetch_add(bytes, std::memory_order_relaxed);
  cell.cpu_ns.fetch_add(static_cast<std::uint64_t>(cpu.count()), std::memory_order_relaxed);
}

void PushMeter::add(PushWait wait, std::chrono::nanoseconds wall) {
  wait_ns_[static_cast<std::size_t>(wait)].fetch_add(static_cast<std::uint64_t>(wall.count()),
                                                     std::memory_order_relaxed);
}

PushStats PushMeter::totals() const {
  PushStats stats;
  for (std::size_t i = 0; i < kPushStages; ++i)
    stats.stages[i] = {stages_[i].bytes.load(std::memory_order_relaxed),
                       stages_[i].cpu_ns.load(std::memory_order_relaxed)};
  for (std::size_t i = 0; i < kPushWaits; ++i) stats.wait_ns[i] = wait_ns_[i].load(std::memory_order_relaxed);
  return stats;
}

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

StretchClock::StretchClock(PushMeter& meter) : meter_(meter) {
  restart();
}

void StretchClock::restart() {
  cpu_ = thread_cpu_time();
  wall_ = std::chrono::steady_clock::now();
}

void StretchClock::stage(PushStage stage, std::uint64_t bytes) {
  const auto cpu = thread_cpu_time();
  meter_.add(stage, bytes, cpu - cpu_);
  cpu_ = cpu;
  wall_ = std::chrono::steady_clock::now();
}

void StretchClock::stage(PushStage stage, std::uint64_t bytes, PushWait wait) {
  const auto cpu = thread_cpu_time() - cpu_;
  const auto wall = std::chrono::steady_clock::now() - wall_;
  meter_.add(stage, bytes, cpu);
  if (wall > cpu) meter_.add(wait, wall - cpu);
  restart();
}

void StretchClock::wait(PushWait wait) {
  meter_.add(wait, std::chrono::steady_clock::now() - wall_);
  restart();
}

}  // namespace drs
