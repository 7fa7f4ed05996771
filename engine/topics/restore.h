// Restores topics of an archive into a cluster: creates them with settings that keep every record, writes the records
// in order with an idempotent producer, proves what the cluster then holds, and sets the true configurations last.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipeline/pull/range_restore.h"
#include "engine/topics/proof.h"
#include "engine/topics/restore_plan.h"
#include "io/base/run_control.h"
#include "io/record_sink.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

struct RestoreOptions {
  TopicChoice choice;
  RestoreTarget target;
  bool prove = true;             // consume what was written and compare it
  std::function<void()> begins;  // unless null, called before the first change at the target
};

struct RestoredTopic {
  std::string source;
  std::string target;
  std::uint64_t records = 0;           // written by this run
  std::uint64_t records_there = 0;     // of an interrupted restore, found and kept
  std::vector<RefusedConfig> refused;  // configurations that the cluster did not take
};

struct RestoreReport {
  std::vector<RestoredTopic> topics;
  std::uint64_t records = 0;  // written by this run
  std::uint64_t payload_bytes = 0;
  std::optional<TopicProof> proof;
};

struct RestorePlan {
  std::vector<ChosenTopic> topics;
  RestorePreflight preflight;
};
// Changes nothing. Errors: those of choose_topics; damage; the cluster's as of_target has them.
Result<RestorePlan> plan_restore(TopicView& view, const RestoreOptions& options, TopicCluster& cluster,
                                 RecordSource& source);

// The clients of the target, each used by the restore alone.
struct RestoreClients {
  TopicCluster& cluster;
  RecordSource& source;  // reads what is there
  RecordSink& sink;      // its batches are of the plan's size at most
};

// Carries out a plan. `restore` reads the repository's data. The parts of `control.progress` are the topics of the
// plan, or there are none. Errors: kUsage (conflicts with what the target has, each in a line of the text; records that
// the target refuses); kSinkClosed (the brokers failed, and --resume goes on; or the target does not hold what was
// written); damage; the store's; kCancelled.
Result<RestoreReport> restore_topics(TopicView& view, RangeRestore& restore, const RestoreClients& clients,
                                     const RestoreOptions& options, RestorePlan plan, const RunControl& control);

}  // namespace drs
