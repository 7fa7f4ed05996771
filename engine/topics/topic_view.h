// Reads an archive of topics: its catalogue, and from there any record in a few block reads (docs/DESIGN.md "Archives
// of topics"). Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/format/record_block.h"
#include "engine/format/topic_catalogue.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/listing.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "engine/repository/stream_range.h"

namespace drs {

// Which records of a partition are wanted: offsets in [from, to), timestamps in [since_ms, until_ms).
struct RecordWindow {
  std::int64_t from = 0;
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  std::optional<std::int64_t> since_ms = {};
  std::optional<std::int64_t> until_ms = {};
  bool zero_as_one = false;  // records with timestamp 0 are taken as if they had timestamp 1
  // Whether any record with these bounds can be wanted.
  [[nodiscard]] bool meets(std::int64_t first_offset, std::int64_t last_offset, std::int64_t least_ms,
                           std::int64_t greatest_ms) const;
  [[nodiscard]] bool meets(const RecordBlockEntry& entry) const;
  [[nodiscard]] bool holds(const Record& record) const;
  // Whether every record of the block is wanted, as it is stored and as far as its entry shows it.
  [[nodiscard]] bool holds_all_of(const RecordBlockEntry& entry) const;
  [[nodiscard]] bool by_time() const { return since_ms || until_ms; }
  // The same, of the extent's window alone.
  [[nodiscard]] RecordWindow within(const CatalogueExtent& extent) const;
};

// Returns whether to go on. The record is valid until the call returns.
using VisitRecord = std::function<Result<bool>(const Record& record)>;
// Calls `visit` with the wanted records of a record block, in their order, until it returns false. Returns what it
// returned last, or true. Errors: damage; those of `visit`.
Result<bool> visit_records(ByteView block, const RecordWindow& window, const VisitRecord& visit);

// What the extents of a partition say together.
struct PartitionDetail {
  std::uint64_t payload_bytes = 0;
  bool payload_is_estimated = false;  // a window takes a part of an extent: in proportion to the records
  std::uint64_t missing_offsets = 0;
  std::uint64_t gaps_count = 0;  // where a window takes only a part, at least
  std::vector<Gap> gaps;         // between extents, and the largest of each, sorted by offset
};

class TopicView {
 public:
  // `packs` and `index` are those of `repository`; `store` is an instance for this view alone. All outlive the view.
  // Errors: kUsage (the snapshot is not an archive of topics); kFormatTooNew; damage (kCorrupt, kTruncated, kNotFound);
  // the store's.
  static Result<std::unique_ptr<TopicView>> open(Repository& repository, ObjectStore& store, BlockIndex& index,
                                                 const Snapshot& snapshot);

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  [[nodiscard]] const TopicCatalogue& catalogue() const { return catalogue_; }
  // The newest generation of a topic; nullptr if the archive has none of this name.
  [[nodiscard]] const CatalogueTopic* find(std::string_view topic) const;

  // Errors of all of these: damage, the store's.
  Result<std::vector<CatalogueExtent>> extents(const CataloguePartition& partition);
  Result<ExtentIndex> index(const CatalogueExtent& extent);
  // Of each partition of the topic.
  Result<std::vector<PartitionDetail>> details(const CatalogueTopic& topic);
  // Reads a record block, checks that it is the one that the index describes, and visits its records.
  Result<bool> visit_block(const CatalogueExtent& extent, const RecordBlockEntry& entry, const RecordWindow& window,
                           const VisitRecord& visit);
  // Makes the window of `extent` smaller: to offsets in [from, to); counts and digests what is left. Reads nothing if
  // the window lies within already.
  Result<CatalogueExtent> clip(CatalogueExtent extent, std::int64_t from,
                               std::int64_t to = std::numeric_limits<std::int64_t>::max());
  // Calls `visit` with the wanted records of a partition, in the order of their offsets, until it returns false.
  // Errors: also those of `visit`.
  Result<void> visit(const CataloguePartition& partition, const RecordWindow& window, const VisitRecord& visit);

  // Block reads since the view was opened, for tests.
  [[nodiscard]] std::uint64_t block_reads() const { return directories_.block_reads() + data_.block_reads(); }
  [[nodiscard]] StreamRange& directories() { return directories_; }

 private:
  TopicView(BlockIndex& index, BlockReader reader, Manifest manifest);
  Result<void> load_catalogue();
  Result<Bytes> record_block(const CatalogueExtent& extent, const RecordBlockEntry& entry);

  std::unique_ptr<BlockReader> reader_;
  StreamRange directories_;  // catalogue and extent indexes
  StreamRange data_;         // record blocks
  Manifest manifest_;
  TopicCatalogue catalogue_;
};

}  // namespace drs
