// Checks what an archive of topics says of its records (FORMAT.md "Topic catalogue", "Segment stream"): that its
// catalogue, the directories of its segment streams and the indexes of its extents can be read and agree; with
// `read_data` also that every record block has the records that its index states, in number, offsets and digest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "codecs/xxh3.h"
#include "engine/format/segment_directory.h"
#include "engine/format/topic_catalogue.h"
#include "engine/repository/live_index.h"
#include "engine/topics/topic_view.h"
#include "verify/check_context.h"

namespace drs {

// One thread. Everything passed in must outlive it.
class TopicCheck {
 public:
  TopicCheck(CheckContext& context, LiveIndex& index) : context_(context), index_(index) {}

  // `snapshot`: an archive of topics of which RecipeCheck found no block damaged. Errors: those that do not concern
  // stored objects; kCancelled.
  Result<void> check(const Snapshot& snapshot);
  [[nodiscard]] std::uint64_t records() const { return records_; }  // decoded and compared with their digests

 private:
  // An extent that the catalogue names, to be found in the directory of its segment stream.
  struct Named {
    std::uint32_t stream = 0;
    std::uint64_t index_place = 0;
    Xxh3Digest extent;       // of its stored form
    std::string_view topic;  // in the catalogue
  };

  // Errors: damage, too.
  Result<void> check_archive(TopicView& view);
  Result<void> check_partition(TopicView& view, const CatalogueTopic& topic, const CataloguePartition& partition,
                               std::vector<Named>& named);
  // `named`: all of one segment stream, whose extents are checked unless an earlier archive has named it.
  Result<void> check_segment_stream(TopicView& view, std::span<const Named> named);
  Result<void> check_extent(TopicView& view, const CatalogueExtent& extent);
  Result<void> check_blocks(TopicView& view, const CatalogueExtent& extent, const ExtentIndex& index);

  CheckContext& context_;
  LiveIndex& index_;
  std::unordered_set<std::string> checked_streams_;  // by length and digest
  std::uint64_t records_ = 0;
};

}  // namespace drs
