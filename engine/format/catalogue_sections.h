// The sections of a catalogue (FORMAT.md "Topic catalogue"), each encoded for itself. For topic_catalogue.cc.
#pragma once

#include <string_view>
#include <vector>

#include "engine/format/topic_catalogue.h"

namespace drs {

inline constexpr std::string_view kCatalogue = "catalogue";

struct EncodedSection {
  CatalogueSection kind;
  Bytes bytes;
};

// All sections, sorted by kind. No groups: no such section.
std::vector<EncodedSection> encode_catalogue_sections(const TopicCatalogue& catalogue);

// `pages_end`: where the extent pages end. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<std::vector<CatalogueTopic>> decode_catalogue_topics(ByteView section, std::uint64_t pages_end);
// Errors: kTruncated, kCorrupt.
Result<std::vector<CatalogueGroup>> decode_catalogue_groups(ByteView section);
Result<CatalogueCluster> decode_catalogue_cluster(ByteView section);

}  // namespace drs
