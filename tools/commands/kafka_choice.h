// Which records of an archive a command means, and what their topics are called at the target: the options that
// restore, compare and offsets share.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "engine/topics/restore_plan.h"
#include "io/base/result.h"

namespace drs {

struct KafkaChoiceOptions {
  TopicPatterns topics;
  std::vector<std::string> renames;
  std::string since;
  std::string until;
  std::vector<std::string> from_offsets;  // TOPIC/PARTITION=N
  std::vector<std::string> until_offsets;
  bool zero_as_one = false;
};

void declare_kafka_choice(CLI::App& app, KafkaChoiceOptions& options);
// Errors: kUsage.
Result<TopicChoice> kafka_choice(const KafkaChoiceOptions& options, WallNs now_ns);

}  // namespace drs
