// The golden archive of topics: a catalogue and two segment streams with fixed records, ids and times. Its files in
// tests/golden/v1-topics/ are never rewritten.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/format/topic_catalogue.h"
#include "tests/codecs/test_records.h"

namespace drs::golden {

// A partition as a reader restores it.
struct ArchivedPartition {
  TopicPartition partition;
  std::vector<TestRecord> records;  // in the windows of the catalogue
};
std::vector<ArchivedPartition> archived_partitions();

// The labels of the streams, in the order in which the manifest of such a snapshot has them.
std::vector<std::string> topic_stream_labels();
// The streams by label.
std::map<std::string, Bytes> topic_streams();
TopicCatalogue topic_catalogue();
// Parts of these streams: the first record block, the index of the first extent, the first extent page.
Bytes record_block();
Bytes extent_index();
Bytes extent_page();

// The contents of v1-topics/expected.json: what a reader in any language must find.
std::string expected_topics_json();

}  // namespace drs::golden
