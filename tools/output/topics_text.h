// Archives of topics, as text and as JSON.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/format/topic_catalogue.h"
#include "engine/topics/archive.h"
#include "engine/topics/topic_view.h"

namespace drs {

// Topics with their partitions: ranges, counts, ends.
nlohmann::ordered_json topics_json(const TopicCatalogue& catalogue);
// Of each partition of one topic, by generation.
using TopicDetails = std::map<std::uint32_t, std::vector<PartitionDetail>>;
// The same with groups and cluster. `topic`: only this one, with `details`; empty: all.
nlohmann::ordered_json catalogue_json(const TopicCatalogue& catalogue, const std::string& topic,
                                      const TopicDetails& details);
// One line for each topic, or, for `topic`, its configurations and partitions.
std::string catalogue_text(const TopicCatalogue& catalogue, const std::string& topic, const TopicDetails& details);

// "archived prod #3 22c3a2a55448: 120 records of 2 topics, 7 new (1.2 KiB), 0.4 s".
std::string archived_text(const ArchiveReport& report);
// Where each partition stands that was not archived to its end: "orders/3 through 1000 of 5000".
std::string partial_text(const TopicCatalogue& catalogue);

nlohmann::ordered_json plan_json(const ArchivePreview& preview);
std::string plan_text(const ArchivePreview& preview);

// One record as a JSON object. Bytes that are not UTF-8 are in base64, under a name that ends in _base64.
nlohmann::ordered_json record_json(const Record& record);

}  // namespace drs
