// How the deduplicating side of a push grows with the repository: opening, memory, look-ups and what sampling loses,
// from 10 GB to 1 PB of known data.
//
//   bench/scale_bench [--smoke] [--bytes B,B...] [--memory MIB,MIB...] [--compression R] [--files N]
//
// PackCatalog, BlockIndex, PreviousRecipe and DedupIndex are the engine's own; the repository under them is computed
// (bench/synthetic_repository.h). Times are CPU time of the engine alone: what the store took to make its answers is
// counted in requests and bytes instead. Each case runs in a process of its own, so that memory means what it says.
// Every answer of the index is checked; a wrong one ends the program with 1.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "bench/dedup_walk.h"
#include "bench/scale_support.h"
#include "bench/synthetic_repository.h"
#include "engine/format/names.h"
#include "engine/pipeline/memory_plan.h"
#include "io/file_system.h"
#include "sinks/local/local_store.h"

namespace drs::bench {
namespace {

constexpr std::uint64_t kStreamBlocksMax = 16384;  // 16 GiB
constexpr std::size_t kThreads = 2;
constexpr double kDailyChurn = 0.11;
constexpr std::size_t kGenerations = 7;

struct Settings {
  std::vector<double> plain_bytes = {1e10, 1e11, 1e12, 1e13, 1e14};
  std::vector<std::size_t> memory_mib = {256, 1024};
  double compression = 3.6;
  std::uint64_t files = 100'000;
};

enum Walk : std::size_t { kSlowChurn, kFastChurn, kElsewhere, kElsewhereAged, kNewData, kWalks };

struct WalkRow {
  double chunk_ns = 0;
  double lost = 0;
  double rewritten = 0;
  double requests_per_gib = 0;
};

// Passed from the process of a case to the one that prints.
struct Measured {
  double plain_bytes = 0;
  double index_bytes = 0;
  std::uint64_t memory_mib = 0;
  std::uint64_t packs = 0;
  std::uint64_t units = 0;
  std::uint64_t requests = 0;
  std::uint64_t read_bytes = 0;
  unsigned shift = 0;
  double catalog_s = 0;
  double index_s = 0;
  double dedup_s = 0;
  double recipe_s = 0;
  double fold_ms = 0;  // PackCatalog::add, once for 64 packs
  double lists_mib = 0;
  double lists_peak_mib = 0;
  double table_mib = 0;
  std::array<WalkRow, kWalks> walks;
};

// A stream after some daily snapshots: what has changed lies in the blocks of the day on which it did. `first_block` of
// the first snapshot, `day_block(day)` of the others.
template <typename DayBlock>
std::vector<StreamChunk> aged_stream(std::uint64_t blocks, std::uint64_t first_block, const DayBlock& day_block,
                                     std::mt19937_64& random) {
  std::vector<StreamChunk> stream(blocks * kBlockChunks);
  for (std::size_t i = 0; i < stream.size(); ++i)
    stream[i] = {first_block + i / kBlockChunks, static_cast<std::uint32_t>(i % kBlockChunks)};
  std::bernoulli_distribution changes(kDailyChurn);
  for (std::size_t day = 0; day < kGenerations; ++day) {
    std::uint64_t written = 0;
    for (StreamChunk& chunk : stream) {
      if (!changes(random)) continue;
      chunk = {day_block(day) + written / kBlockChunks, static_cast<std::uint32_t>(written % kBlockChunks)};
      ++written;
    }
  }
  return stream;
}

std::vector<StreamChunk> churned(std::span<const StreamChunk> stream, double share, std::mt19937_64& random) {
  std::vector<StreamChunk> out(stream.begin(), stream.end());
  std::bernoulli_distribution changes(share);
  for (StreamChunk& chunk : out)
    if (changes(random)) chunk = {};
  return out;
}

WalkRow row(const DedupWalk::Totals& totals) {
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const double gib = static_cast<double>(totals.chunks) * kSyntheticChunkBytes / static_cast<double>(kGiB);
  return {seconds(totals.spent) * 1e9 / static_cast<double>(totals.chunks), share(totals.lost, totals.known),
          share(totals.rewritten, totals.known), static_cast<double>(totals.store.requests) / gib};
}

Result<void> walk_all(SyntheticRepository& repository, DedupIndex& dedup, SessionBlocks& blocks,
                      const std::vector<StreamChunk>& previous, std::uint64_t stream_blocks, std::mt19937_64& random,
                      std::array<WalkRow, kWalks>& rows) {
  DedupWalk walk(repository, dedup, blocks);
  const auto run = [&](Walk which, const std::vector<StreamChunk>& stream, std::uint64_t offset_bytes) -> Result<void> {
    DRS_ASSIGN_OR_RETURN(const auto totals, walk.run(stream, offset_bytes));
    rows[which] = row(totals);
    return {};
  };
  const std::uint64_t all_blocks = repository.objects->block_count();
  const std::size_t half = previous.size() / 2;
  const std::span<const StreamChunk> whole(previous);
  DRS_RETURN_IF_ERROR(run(kSlowChurn, churned(whole.first(half), 0.01, random), 0));
  DRS_RETURN_IF_ERROR(run(kFastChurn, churned(whole.subspan(half), kDailyChurn, random), half * kSyntheticChunkBytes));
  // What another stream stored long ago: its first snapshot, and one after some days. No recipe leads there.
  const std::uint64_t old_block = all_blocks / 4 * 3;
  std::vector<StreamChunk> old(half);
  for (std::size_t i = 0; i < half; ++i)
    old[i] = {old_block + i / kBlockChunks, static_cast<std::uint32_t>(i % kBlockChunks)};
  DRS_RETURN_IF_ERROR(run(kElsewhere, old, DedupWalk::kNowhere));
  const auto other_days = [&](std::size_t day) { return all_blocks / 4 + all_blocks / 16 * day + all_blocks / 32; };
  DRS_RETURN_IF_ERROR(run(kElsewhereAged,
                          aged_stream(stream_blocks / 2, old_block + stream_blocks / 2, other_days, random),
                          DedupWalk::kNowhere));
  return run(kNewData, std::vector<StreamChunk>(half), DedupWalk::kNowhere);
}

Result<Measured> measure(double plain_bytes, std::size_t memory_mib, double compression) {
  DRS_ASSIGN_OR_RETURN(const PushMemory memory,
                       plan_push({.memory_bytes = memory_mib * kMiB, .threads = kThreads}, CompressionChoice{}));
  RepositoryShape shape;
  shape.plain_bytes = static_cast<std::uint64_t>(plain_bytes);
  shape.pack_bytes_target = memory.pack_bytes_target;
  shape.compression = compression;
  DRS_ASSIGN_OR_RETURN(const auto synthetic, make_synthetic_repository(shape));
  SyntheticObjects& objects = *synthetic->objects;
  Repository& repository = *synthetic->repository;
  std::mt19937_64 random(7);
  const std::uint64_t all_blocks = objects.block_count();
  const std::uint64_t stream_blocks = std::min(kStreamBlocksMax, all_blocks / 4);
  const std::vector<StreamChunk> previous = aged_stream(
      stream_blocks, 0, [&](std::size_t day) { return all_blocks / 4 + all_blocks / 16 * day; }, random);
  DRS_ASSIGN_OR_RETURN(const ManifestStream stored, store_recipe(*synthetic, previous));

  Measured out;
  out.plain_bytes = static_cast<double>(all_blocks) * kBlockBytesMax;
  out.memory_mib = memory_mib;
  out.packs = objects.pack_count();
  out.units = objects.unit_count();
  for (std::uint64_t unit = 0; unit < out.units; ++unit)
    out.index_bytes += static_cast<double>(objects.unit_bytes(unit));
  objects.work = {};
  std::vector<std::string> warnings;
  ::malloc_trim(0);  // what the making of the repository has freed is not to be used again unseen
  reset_resident_peak();
  const double before_mib = resident_mib("VmRSS:");

  const EngineTime catalog_time(objects);
  DRS_ASSIGN_OR_RETURN(PackCatalog catalog, PackCatalog::load(repository));
  out.catalog_s = seconds(catalog_time.spent());
  const EngineTime index_time(objects);
  DRS_ASSIGN_OR_RETURN(const auto index, BlockIndex::load(repository, repository.store(), catalog,
                                                          {.cache_bytes = memory.index_cache_bytes}));
  out.index_s = seconds(index_time.spent());
  out.lists_mib = resident_mib("VmRSS:") - before_mib;
  out.lists_peak_mib = resident_mib("VmHWM:") - before_mib;

  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  const EngineTime recipe_time(objects);
  DRS_ASSIGN_OR_RETURN(auto recipe,
                       PreviousRecipe::load(stored, *index, reader, memory.index_cache_bytes / 64, warnings));
  out.recipe_s = seconds(recipe_time.spent());

  SessionBlocks session_blocks;
  const double before_table_mib = resident_mib("VmRSS:");
  const EngineTime dedup_time(objects);
  DRS_ASSIGN_OR_RETURN(const auto dedup, DedupIndex::make(*index, reader, session_blocks, std::move(recipe),
                                                          {.table_bytes = memory.index_table_bytes}, warnings));
  out.dedup_s = seconds(dedup_time.spent());
  out.table_mib = resident_mib("VmRSS:") - before_table_mib;
  out.shift = dedup->sample_shift();
  out.requests = objects.work.requests;
  out.read_bytes = objects.work.bytes;
  if (!warnings.empty()) return Error(ErrorCode::kInternal, warnings.front());
  if (!index->problems().empty()) return index->problems().front().error;
  if (index->block_count() < all_blocks || catalog.packs().size() <= objects.pack_count() - 1)
    return Error(ErrorCode::kInternal, "the index does not know the whole repository");

  DRS_RETURN_IF_ERROR(walk_all(*synthetic, *dedup, session_blocks, previous, stream_blocks, random, out.walks));

  const EngineTime fold_time(objects);
  for (std::uint64_t i = 0; i < 64; ++i)
    catalog.add(SyntheticObjects::pack_digest(objects.pack_count() + i), objects.pack_bytes());
  out.fold_ms = seconds(fold_time.spent()) * 1e3;
  return out;
}

// PackCatalog on a real folder of `count` packs that are holes.
Result<void> measure_folder(std::uint64_t count) {
  namespace fs = std::filesystem;
  struct Folder {
    fs::path path = fs::temp_directory_path() / ("drs-scale-" + std::to_string(::getpid()));
    ~Folder() { fs::remove_all(path); }
  } const folder;
  fs::create_directories(folder.path);
  const SystemClock clock;
  InitOptions init;
  init.secret.kind = SlotKind::kRawKey;
  init.secret.bytes = SecretBytes(32);
  DRS_ASSIGN_OR_RETURN(auto files, open_file_system(folder.path.string(), IoChoice::kPosix));
  DRS_ASSIGN_OR_RETURN(auto store, open_local_store(std::move(files), {}));
  DRS_RETURN_IF_ERROR(Repository::init(*store, clock, init));
  DRS_ASSIGN_OR_RETURN(const auto repository,
                       Repository::open(std::move(store), clock, init.secret, best_crypto_backend()));
  for (std::uint64_t i = 0; i < count; ++i) {
    const fs::path path = folder.path / pack_name(SyntheticObjects::pack_digest(i));
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary).close();
    fs::resize_file(path, 16 * kMiB);
  }
  const auto start = thread_cpu_time();
  DRS_ASSIGN_OR_RETURN(const PackCatalog catalog, PackCatalog::load(*repository));
  const double spent = seconds(thread_cpu_time() - start);
  if (catalog.packs().size() != count || catalog.total_bytes() != count * 16 * kMiB)
    return Error(ErrorCode::kInternal, "the list of packs is not the folder's");
  std::printf("\nA folder of %llu packs is listed in %.3f s (warm): %.2f us a pack.\n",
              static_cast<unsigned long long>(count), spent, spent * 1e6 / static_cast<double>(count));
  return {};
}

void print_tables(const std::vector<Measured>& cases) {
  std::printf(
      "\n| known | `--memory` MiB | packs | index objects | index | 1 chunk in | requests | read | "
      "catalog s | index s | recipe s | samples s | packs and units MiB (peak) | table MiB | fold ms |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Measured& m : cases)
    std::printf(
        "| %s | %llu | %llu | %llu | %s | %llu | %llu | %s | %.3f | %.3f | %.3f | %.3f | %.1f (%.1f) | %.1f | "
        "%.2f |\n",
        bytes_text(m.plain_bytes).c_str(), static_cast<unsigned long long>(m.memory_mib),
        static_cast<unsigned long long>(m.packs), static_cast<unsigned long long>(m.units),
        bytes_text(m.index_bytes).c_str(), 1ULL << m.shift, static_cast<unsigned long long>(m.requests),
        bytes_text(static_cast<double>(m.read_bytes)).c_str(), m.catalog_s, m.index_s, m.recipe_s, m.dedup_s,
        m.lists_mib, m.lists_peak_mib, m.table_mib, m.fold_ms);
  std::printf(
      "\nns a chunk · share of known chunks lost · requests a GiB:\n\n"
      "| known | `--memory` MiB | last snapshot, 1 %% new | last snapshot, 11 %% new | other stream's first | "
      "other stream's, aged | new data |\n|---|---|---|---|---|---|---|\n");
  for (const Measured& m : cases) {
    std::printf("| %s | %llu |", bytes_text(m.plain_bytes).c_str(), static_cast<unsigned long long>(m.memory_mib));
    for (const WalkRow& walk : m.walks)
      std::printf(" %.0f · %.2f %% · %.1f |", walk.chunk_ns, walk.lost * 100, walk.requests_per_gib);
    std::printf("\n");
  }
  double rewritten = 0;
  for (const Measured& m : cases)
    for (const WalkRow& walk : m.walks) rewritten = std::max(rewritten, walk.rewritten);
  std::printf("\nAt most %.2f %% of known chunks are stored anew because their block is sparse.\n", rewritten * 100);
}

int run(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--smoke") {
      settings = {.plain_bytes = {5e9, 2e11}, .memory_mib = {96}, .files = 1000};
      continue;
    }
    if (option == "--bytes")
      settings.plain_bytes = numbers(value);
    else if (option == "--memory") {
      const std::vector<double> mib = numbers(value);
      settings.memory_mib.assign(mib.begin(), mib.end());
    } else if (option == "--compression")
      settings.compression = std::strtod(value, nullptr);
    else if (option == "--files")
      settings.files = std::strtoull(value, nullptr, 10);
    else {
      std::fprintf(stderr,
                   "usage: scale_bench [--smoke] [--bytes B,B...] [--memory MIB,MIB...] [--compression R] "
                   "[--files N]\n");
      return 2;
    }
    ++i;
  }
  print_machine();
  std::fflush(stdout);
  std::vector<Measured> cases;
  for (const double bytes : settings.plain_bytes)
    for (const std::size_t memory : settings.memory_mib) {
      const auto measured = measure_apart<Measured>([&] { return measure(bytes, memory, settings.compression); });
      if (!measured.ok()) return 1;
      cases.push_back(*measured);
      std::fprintf(stderr, "%s at %zu MiB done\n", bytes_text(bytes).c_str(), memory);
    }
  print_tables(cases);
  const auto listed = measure_folder(settings.files);
  if (!listed.ok()) std::fprintf(stderr, "scale_bench: %s\n", listed.error().message.c_str());
  return listed.ok() ? 0 : 1;
}

}  // namespace
}  // namespace drs::bench

int main(int argc, char** argv) {
  return drs::bench::run(argc, argv);
}
