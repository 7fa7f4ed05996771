// Captures what an archive needs to know of a cluster, in the order that keeps offsets of groups within the archived
// records: groups first, ends of partitions then.
#pragma once

#include <string>
#include <vector>

#include "engine/format/topic_catalogue.h"
#include "engine/topics/archive_plan.h"
#include "engine/topics/topic_selection.h"
#include "io/base/clock.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

struct ClusterState {
  std::vector<TopicNow> topics;  // sorted by name
  std::vector<CatalogueGroup> groups;
  CatalogueCluster cluster;  // without the history
};

// `groups`: a glob. Errors: those of select_topics; kSource (the brokers failed; the text says how).
Result<ClusterState> capture_cluster(TopicCluster& cluster, RecordSource& source, const TopicPatterns& patterns,
                                     const std::string& groups, const Clock& clock);

}  // namespace drs
