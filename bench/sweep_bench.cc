// What sweeps cost beside reading: one of 30 nights on a repository of up to 100 TB, whose packs are computed
// (bench/synthetic_repository.h).
//
//   bench/sweep_bench [--smoke] [--bytes B,B...]
//
// 30 sweeps have each read a thirtieth of the ring and put records. Then: what a sweep does before it reads, which is
// what `status` does for the coverage too, with those records; and the same after a prune has joined them. Times are
// CPU time of the engine alone; what the store does is counted in requests and bytes.
#include <malloc.h>

#include <cstdio>
#include <string>

#include "bench/scale_support.h"
#include "bench/synthetic_repository.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/repository/evidence.h"
#include "sinks/settled_put.h"
#include "verify/sweep_plan.h"
#include "verify/sweep_record.h"

namespace drs::bench {
namespace {

constexpr std::size_t kNights = 30;
constexpr std::size_t kRecordsEachNight = 5;
constexpr std::size_t kMemoryMiB = 256;

struct Start {
  double engine_s = 0, peak_mib = 0;
  std::uint64_t records = 0, record_bytes = 0;
  std::uint64_t reads = 0, read_bytes = 0, lists = 0;
  std::uint64_t due = 0;
};

struct Measured {
  double plain_bytes = 0;
  std::uint64_t packs = 0;
  Start nights, joined;
};

Result<void> put_record(Repository& repository, const Verified& record, std::uint64_t number) {
  Uuid id;
  std::memcpy(id.data.data(), &number, sizeof number);
  const std::string name = verified_name(id);
  return put_settled(repository.store(), name,
                     encode_document(repository.keys(), ObjectKind::kVerified, name, encode_verified(record)));
}

// What a sweep does before it reads.
Result<Start> start(SyntheticObjects& objects, Repository& repository) {
  Start out;
  objects.work = {};
  ::malloc_trim(0);
  const double before_mib = resident_mib("VmRSS:");
  reset_resident_peak();
  const EngineTime time(objects);
  DRS_ASSIGN_OR_RETURN(const Evidence evidence, Evidence::load(repository));
  DRS_ASSIGN_OR_RETURN(const PackCatalog packs,
                       PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kPassOver));
  const auto proofs = evidence.of(packs.packs());
  const WallNs since_ns = repository.clock().wall_ns() - std::chrono::nanoseconds(std::chrono::days(30)).count();
  out.due = due_packs(packs.packs(), proofs, {.proven_since_ns = since_ns, .shard = {}}).size();
  if (!coverage_of(packs.packs(), proofs, {since_ns, repository.clock().wall_ns()}).complete())
    return Error(ErrorCode::kInternal, "not all is proven");
  out.engine_s = seconds(time.spent());
  out.peak_mib = resident_mib("VmHWM:") - before_mib;
  out.records = evidence.names().size();
  out.reads = objects.work.requests;
  out.read_bytes = objects.work.bytes;
  out.lists = objects.work.lists;
  return out;
}

Result<Measured> measure(double plain_bytes) {
  DRS_ASSIGN_OR_RETURN(const PushMemory memory,
                       plan_push({.memory_bytes = kMemoryMiB * kMiB, .threads = 2}, CompressionChoice{}));
  RepositoryShape shape;
  shape.plain_bytes = static_cast<std::uint64_t>(plain_bytes);
  shape.pack_bytes_target = memory.pack_bytes_target;
  DRS_ASSIGN_OR_RETURN(const auto synthetic, make_synthetic_repository(shape));
  Repository& repository = *synthetic->repository;
  Measured out;
  out.plain_bytes = static_cast<double>(synthetic->objects->block_count()) * kBlockBytesMax;
  std::uint64_t record_bytes = 0;
  {
    DRS_ASSIGN_OR_RETURN(const PackCatalog packs,
                         PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kPassOver));
    out.packs = packs.packs().size();
    SweepRecord record(
        packs.packs(),
        {.bounds = {}, .now_ns = repository.clock().wall_ns(), .workers = 1, .host = "host", .tool = "drstream"});
    for (std::size_t part = 0, pack = 0; part < kNights * kRecordsEachNight; ++part) {
      for (; pack < (part + 1) * out.packs / (kNights * kRecordsEachNight); ++pack) {
        record.begin(0, repository.clock().wall_ns());
        record.end(0, pack, PackOutcome::kIntact);
      }
      for (const Verified& one : record.take(repository.clock().wall_ns())) {
        record_bytes += encode_verified(one).size();
        DRS_RETURN_IF_ERROR(put_record(repository, one, part));
      }
    }
  }
  DRS_ASSIGN_OR_RETURN(out.nights, start(*synthetic->objects, repository));
  out.nights.record_bytes = record_bytes;
  // As the housekeeping of a prune does.
  {
    DRS_ASSIGN_OR_RETURN(const Evidence evidence, Evidence::load(repository));
    DRS_ASSIGN_OR_RETURN(const PackCatalog packs,
                         PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kPassOver));
    const std::vector<Verified> joined = evidence.folded(packs.packs(), {});
    record_bytes = 0;
    for (std::size_t i = 0; i < joined.size(); ++i) {
      record_bytes += encode_verified(joined[i]).size();
      DRS_RETURN_IF_ERROR(put_record(repository, joined[i], kNights * kRecordsEachNight + i));
    }
    DRS_RETURN_IF_ERROR(repository.store().remove_all(evidence.names()));
  }
  DRS_ASSIGN_OR_RETURN(out.joined, start(*synthetic->objects, repository));
  out.joined.record_bytes = record_bytes;
  if (out.nights.due + out.joined.due > 0) return Error(ErrorCode::kInternal, "something is due");
  return out;
}

void print_table(const std::vector<Measured>& cases) {
  std::printf(
      "\n| known | packs | records | their size | engine s | memory MiB | reads | read | lists |\n"
      "|---|---|---|---|---|---|---|---|---|\n");
  const auto count = [](std::uint64_t number) { return static_cast<unsigned long long>(number); };
  for (const Measured& m : cases)
    for (const Start& one : {m.nights, m.joined})
      std::printf("| %s | %llu | %llu | %s | %.2f | %.0f | %llu | %s | %llu |\n", bytes_text(m.plain_bytes).c_str(),
                  count(m.packs), count(one.records), bytes_text(static_cast<double>(one.record_bytes)).c_str(),
                  one.engine_s, one.peak_mib, count(one.reads), bytes_text(static_cast<double>(one.read_bytes)).c_str(),
                  count(one.lists));
}

int run(int argc, char** argv) {
  std::vector<double> sizes = {1e12, 1e13, 1e14};
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--smoke") {
      sizes = {2e11};
    } else if (option == "--bytes" && i + 1 < argc) {
      sizes = numbers(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: sweep_bench [--smoke] [--bytes B,B...]\n");
      return 2;
    }
  }
  print_machine();
  std::fflush(stdout);
  std::vector<Measured> cases;
  for (const double bytes : sizes) {
    const auto measured = measure_apart<Measured>([&] { return measure(bytes); });
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
