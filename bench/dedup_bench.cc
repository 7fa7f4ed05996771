#include "bench/dedup_bench.h"

#include <benchmark/benchmark.h>

#include "bench/dedup_walk.h"
#include "bench/synthetic_repository.h"

namespace drs::bench {
namespace {

constexpr std::uint64_t kKnownBytes = std::uint64_t{32} << 30;  // 2 million chunks
constexpr std::size_t kStreamBlocks = 2048;                     // 2 GiB
constexpr std::size_t kTableEntryBytes = 16;                    // at three quarters full

enum class Stream : std::uint8_t { kLastSnapshot, kElsewhere, kNew };

// The repository and, for it, everything that an index stands on.
struct Opened {
  std::unique_ptr<SyntheticRepository> synthetic;
  std::vector<StreamChunk> stream;
  ManifestStream previous;
  std::unique_ptr<PackCatalog> catalog;
  std::unique_ptr<BlockIndex> index;
  std::unique_ptr<BlockReader> reader;
};

Result<Opened> open_repository() {
  Opened opened;
  DRS_ASSIGN_OR_RETURN(opened.synthetic,
                       make_synthetic_repository({.plain_bytes = kKnownBytes, .pack_bytes_target = 16 * kMiB}));
  const std::uint64_t first = opened.synthetic->objects->block_count() / 2;
  for (std::size_t i = 0; i < kStreamBlocks * kBlockChunks; ++i)
    opened.stream.push_back({first + i / kBlockChunks, static_cast<std::uint32_t>(i % kBlockChunks)});
  DRS_ASSIGN_OR_RETURN(opened.previous, store_recipe(*opened.synthetic, opened.stream));
  Repository& repository = *opened.synthetic->repository;
  DRS_ASSIGN_OR_RETURN(PackCatalog catalog, PackCatalog::load(repository));
  opened.catalog = std::make_unique<PackCatalog>(std::move(catalog));
  DRS_ASSIGN_OR_RETURN(opened.index, BlockIndex::load(repository, repository.store(), *opened.catalog, {}));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  opened.reader = std::make_unique<BlockReader>(std::move(reader));
  return opened;
}

// One iteration is the whole stream past a fresh index; making that index is not timed, and neither is the store.
Result<DedupWalk::Totals> walk(Opened& opened, Stream which, unsigned shift_wanted) {
  SessionBlocks blocks;
  std::vector<std::string> warnings;
  PreviousRecipe previous;
  if (which == Stream::kLastSnapshot) {
    DRS_ASSIGN_OR_RETURN(
        previous, PreviousRecipe::load(opened.previous, *opened.index, *opened.reader, 2 * kStreamBlocks, warnings));
  }
  // Twice what would just hold the samples.
  const std::uint64_t entries = opened.index->chunk_count() * 2 >> shift_wanted;
  DRS_ASSIGN_OR_RETURN(const auto dedup, DedupIndex::make(*opened.index, *opened.reader, blocks, std::move(previous),
                                                          {.table_bytes = entries * kTableEntryBytes}, warnings));
  if (dedup->sample_shift() != shift_wanted || !warnings.empty())
    return Error(ErrorCode::kInternal, "the table samples otherwise than it should");
  DedupWalk walk(*opened.synthetic, *dedup, blocks);
  return walk.run(which == Stream::kNew ? std::vector<StreamChunk>(opened.stream.size()) : opened.stream,
                  which == Stream::kLastSnapshot ? 0 : DedupWalk::kNowhere);
}

void look_up_index(benchmark::State& state, Stream which, unsigned shift) {
  static Result<Opened> opened = open_repository();
  if (!opened.ok()) {
    state.SkipWithError(opened.error().message.c_str());
    return;
  }
  std::uint64_t chunks = 0;
  std::uint64_t lost = 0;
  for (auto _ : state) {
    const auto totals = walk(*opened, which, shift);
    if (!totals.ok()) {
      state.SkipWithError(totals.error().message.c_str());
      return;
    }
    state.SetIterationTime(std::chrono::duration<double>(totals->spent).count());
    chunks += totals->chunks;
    lost += totals->lost;
  }
  const auto bytes = static_cast<double>(chunks) * kSyntheticChunkBytes;
  state.SetItemsProcessed(static_cast<std::int64_t>(chunks));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["per 1e9"] =
      benchmark::Counter(static_cast<double>(chunks) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["lost"] = chunks == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(chunks);
}

}  // namespace

void declare_dedup() {
  const auto add = [](const char* name, Stream which, unsigned shift) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { look_up_index(state, which, shift); })
        ->UseManualTime()
        ->Iterations(1);
  };
  add("index/exact/last-snapshot", Stream::kLastSnapshot, 0);
  add("index/exact/miss", Stream::kNew, 0);
  add("index/sampled:16/last-snapshot", Stream::kLastSnapshot, 4);
  add("index/sampled:16/other-stream", Stream::kElsewhere, 4);
  add("index/sampled:16/miss", Stream::kNew, 4);
}

}  // namespace drs::bench
