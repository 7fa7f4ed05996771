#include "engine/pipeline/push/known_blocks.h"

#include <utility>

#include "engine/format/names.h"
#include "engine/pipeline/push/previous_recipe.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

constexpr int kAttempts = 5;
constexpr std::size_t kBytesPerRememberedBlock = 64;  // of a PreviousRecipe

}  // namespace

Result<std::unique_ptr<KnownBlocks>> KnownBlocks::load(Repository& repository, ObjectStore& store,
                                                       const Options& options, PackCatalog packs, Listing listing,
                                                       std::vector<std::string>& warnings) {
  const std::size_t warnings_before = warnings.size();
  std::unique_ptr<KnownBlocks> known(new KnownBlocks(std::move(packs)));
  for (int attempt = 1;; ++attempt) {
    DRS_RETURN_IF_ERROR(known->load_once(repository, store, options, std::move(listing), warnings));
    if (!known->index_->vanished() || attempt == kAttempts) return known;
    warnings.resize(warnings_before);
    known.reset();
    DRS_ASSIGN_OR_RETURN(PackCatalog again, PackCatalog::load(repository));
    known.reset(new KnownBlocks(std::move(again)));
    listing = {};
  }
}

Result<void> KnownBlocks::load_once(Repository& repository, ObjectStore& store, const Options& options, Listing listing,
                                    std::vector<std::string>& warnings) {
  DRS_ASSIGN_OR_RETURN(index_,
                       BlockIndex::load(repository, store, packs_, {options.index_cache_bytes}, std::move(listing)));
  for (const BlockIndex::Problem& problem : index_->problems()) {
    // If index objects cannot be listed, none can be stored: fail before the source is read.
    if (problem.object == name_prefix(ObjectKind::kIndex)) return problem.error;
    warnings.push_back(problem.object + ": " + problem.error.message +
                       "; run `drstream verify`, then `drstream repair index`");
  }
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, store));
  reader_ = std::make_unique<BlockReader>(std::move(reader));
  DRS_ASSIGN_OR_RETURN(PreviousRecipe recipe, load_previous(repository, store, options, warnings));
  DedupIndex::Options dedup_options;
  dedup_options.session = options.session;
  dedup_options.table_bytes = options.index_table_bytes;
  DRS_ASSIGN_OR_RETURN(
      dedup_, DedupIndex::make(*index_, *reader_, session_blocks_, std::move(recipe), dedup_options, warnings));
  return {};
}

Result<PreviousRecipe> KnownBlocks::load_previous(Repository& repository, ObjectStore& store, const Options& options,
                                                  std::vector<std::string>& warnings) {
  if (options.previous == nullptr) return PreviousRecipe();
  const auto manifest = read_manifest(repository, store, *options.previous);
  if (!manifest.ok() && !is_object_fault(manifest.error())) return manifest.error();
  if (!manifest.ok()) {
    warnings.push_back(manifest.error().message +
                       "; this push stores again the chunks it finds in no other place; run `drstream verify`");
    return PreviousRecipe();
  }
  const std::size_t blocks_max = options.index_cache_bytes / kBytesPerRememberedBlock;
  return PreviousRecipe::load(manifest->streams.front(), *index_, *reader_, blocks_max, warnings);
}

}  // namespace drs
