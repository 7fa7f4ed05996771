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

// An error of a broker as the error of a source: for an archive, a broker that does not answer is not a repository that
// does not.
Error as_source_error(Error error);
// Likewise of the cluster that is restored to.
Error as_target_error(Error error);

}  // namespace drs
