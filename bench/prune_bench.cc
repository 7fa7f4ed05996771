// How a prune grows with the repository: three runs on one of up to 100 TB, whose packs and index objects are computed
// (bench/synthetic_repository.h).
//
//   bench/prune_bench [--smoke] [--bytes B,B...] [--snapshots N] [--of-a-block N]
//
// Each block belongs to N snapshots (1). One index object in 50 belongs to no snapshot, with its packs. The first run
// condemns them, the second deletes them, the third has nothing to do. No block is moved: that takes what reading and
// writing its bytes takes. Times are CPU time of the engine alone; what the store does is counted in requests and
// bytes. A run that condemns or deletes anything else ends the program with 1.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/scale_support.h"
#include "bench/synthetic_repository.h"
#include "engine/pipeline/keeping/prune.h"
#include "engine/pipeline/memory_plan.h"
#include "io/base/run_control.h"

namespace drs::bench {
namespace {

constexpr std::uint64_t kDeadEvery = 50;
constexpr std::size_t kMemoryMiB = 256;
constexpr std::size_t kRuns = 3;

struct Run {
  double engine_s = 0;
  double peak_mib = 0;                         // above what there was before the first run
  std::uint64_t packs = 0, index_objects = 0;  // condemned by the first run, deleted by the second
  std::uint64_t reads = 0, read_bytes = 0, lists = 0, puts = 0, put_bytes = 0, removes = 0;
};

struct Measured {
  double plain_bytes = 0;
  std::uint64_t packs = 0;
  std::uint64_t index_objects = 0;
  std::array<Run, kRuns> runs;
};

Error unexpected(const std::string& what) {
  return Error(ErrorCode::kInternal, what);
}

Result<Measured> measure(double plain_bytes, std::uint64_t snapshots, std::uint64_t of_a_block) {
  DRS_ASSIGN_OR_RETURN(const PushMemory memory,
                       plan_push({.memory_bytes = kMemoryMiB * kMiB, .threads = 2}, CompressionChoice{}));
  RepositoryShape shape;
  shape.plain_bytes = static_cast<std::uint64_t>(plain_bytes);
  shape.pack_bytes_target = memory.pack_bytes_target;
  DRS_ASSIGN_OR_RETURN(const auto synthetic, make_synthetic_repository(shape));
  SyntheticObjects& objects = *synthetic->objects;
  DRS_RETURN_IF_ERROR(
      store_snapshots(*synthetic, {.count = snapshots, .of_a_block = of_a_block, .dead_every = kDeadEvery}));
  const std::uint64_t dead_units = objects.unit_count() / kDeadEvery;
  const std::uint64_t dead_packs = objects.pack_count() / objects.unit_count() * dead_units;

  Measured out;
  out.plain_bytes = static_cast<double>(objects.block_count()) * kBlockBytesMax;
  out.packs = objects.pack_count() + snapshots;
  out.index_objects = objects.unit_count() + snapshots;
  PruneOptions options;
  options.age_min = options.grace = options.undo = {};
  options.pack_bytes_target = shape.pack_bytes_target;
  options.move_bytes_max = 0;
  ::malloc_trim(0);
  const double before_mib = resident_mib("VmRSS:");
  for (std::size_t number = 0; number < kRuns; ++number) {
    Run& run = out.runs[number];
    objects.work = {};
    ::malloc_trim(0);
    reset_resident_peak();
    ProgressCounters progress;
    CancelToken cancel;
    const EngineTime time(objects);
    DRS_ASSIGN_OR_RETURN(const PruneReport report,
                         prune(*synthetic->repository, options, {.progress = progress, .cancel = cancel}));
    run.engine_s = seconds(time.spent());
    run.peak_mib = resident_mib("VmHWM:") - before_mib;
    run.packs = report.condemned.packs + report.deleted.packs;
    run.index_objects = report.condemned.index_objects + report.deleted.index_objects;
    run.reads = objects.work.requests;
    run.read_bytes = objects.work.bytes;
    run.lists = objects.work.lists;
    run.puts = objects.work.puts;
    run.put_bytes = objects.work.put_bytes;
    run.removes = objects.work.removes;
    if (!report.problems.empty()) return unexpected(report.problems.front());
    if (run.packs != (number < 2 ? dead_packs : 0))
      return unexpected("run " + std::to_string(number + 1) + " took " + std::to_string(run.packs) + " packs, and " +
                        std::to_string(dead_packs) + " are dead");
    // Those of the dead packs, and the small ones of the snapshots, which are merged.
    if (run.index_objects > (number < 2 ? dead_units + snapshots : 0))
      return unexpected("run " + std::to_string(number + 1) + " took " + std::to_string(run.index_objects) +
                        " index objects");
  }
  return out;
}

void print_table(const std::vector<Measured>& cases) {
  std::printf(
      "\n| known | packs | index objects | run | engine s | memory MiB | reads | read | lists | puts | put | "
      "removes | packs taken | index objects taken |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  constexpr std::array<const char*, kRuns> kNames = {"condemns", "deletes", "idle"};
  const auto count = [](std::uint64_t number) { return static_cast<unsigned long long>(number); };
  for (const Measured& m : cases)
    for (std::size_t i = 0; i < kRuns; ++i) {
      const Run& run = m.runs[i];
      std::printf("| %s | %llu | %llu | %s | %.2f | %.0f | %llu | %s | %llu | %llu | %s | %llu | %llu | %llu |\n",
                  bytes_text(m.plain_bytes).c_str(), count(m.packs), count(m.index_objects), kNames[i], run.engine_s,
                  run.peak_mib, count(run.reads), bytes_text(static_cast<double>(run.read_bytes)).c_str(),
                  count(run.lists), count(run.puts), bytes_text(static_cast<double>(run.put_bytes)).c_str(),
                  count(run.removes), count(run.packs), count(run.index_objects));
    }
}

int run(int argc, char** argv) {
  std::vector<double> sizes = {1e12, 1e13, 1e14};
  std::uint64_t snapshots = 10'000, of_a_block = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--smoke") {
      sizes = {2e11};
      snapshots = 500;
      continue;
    }
    if (option == "--bytes")
      sizes = numbers(value);
    else if (option == "--snapshots")
      snapshots = std::strtoull(value, nullptr, 10);
    else if (option == "--of-a-block")
      of_a_block = std::strtoull(value, nullptr, 10);
    else {
      std::fprintf(stderr, "usage: prune_bench [--smoke] [--bytes B,B...] [--snapshots N] [--of-a-block N]\n");
      return 2;
    }
    ++i;
  }
  print_machine();
  std::fflush(stdout);
  std::vector<Measured> cases;
  for (const double bytes : sizes) {
    const auto measured = measure_apart<Measured>([&] { return measure(bytes, snapshots, of_a_block); });
    if (!measured.ok()) return 1;
    cases.push_back(*measured);
    std::fprintf(stderr, "%s done\n", bytes_text(bytes).c_str());
  }
  print_table(cases);
  return 0;
}

}  // namespace
}  // namespace drs::bench

int main(int argc, char** argv) {
  return drs::bench::run(argc, argv);
}
