#include "tools/commands/kafka_choice.h"

#include <fmt/format.h>

#include <charconv>

#include "tools/cli/option_builder.h"
#include "tools/commands/kafka_options.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr WallNs kNsPerMs = 1'000'000;

Result<std::map<TopicPartition, std::int64_t>> parse_offsets(const std::vector<std::string>& texts) {
  std::map<TopicPartition, std::int64_t> offsets;
  for (const std::string& text : texts) {
    const std::size_t equals = text.rfind('=');
    std::int64_t offset = -1;
    const char* const end = text.data() + text.size();
    const bool split = equals != std::string::npos && equals + 1 < text.size();
    if (!split || std::from_chars(text.data() + equals + 1, end, offset).ptr != end || offset < 0)
      return Error(ErrorCode::kUsage,
                   fmt::format("'{}' is no offset: give TOPIC/PARTITION=N, such as orders/3=100", text));
    DRS_ASSIGN_OR_RETURN(const TopicPartition partition, parse_topic_partition(text.substr(0, equals)));
    offsets[partition] = offset;
  }
  return offsets;
}

Result<std::optional<std::int64_t>> parse_ms(const std::string& text, WallNs now_ns) {
  if (text.empty()) return std::optional<std::int64_t>();
  DRS_ASSIGN_OR_RETURN(const WallNs time_ns, parse_time(text, now_ns, TimeEdge::kBegin));
  return std::optional(time_ns / kNsPerMs);
}

}  // namespace

void declare_kafka_choice(CLI::App& app, KafkaChoiceOptions& options) {
  constexpr const char* kGroup = "Records";
  add_texts(app, "--topics", options.topics.include, "PATTERN",
            "Topics of the archive: names, globs, re:REGEX (default all); may be given several times")
      ->group(kGroup);
  add_texts(app, "--exclude", options.topics.exclude, "PATTERN", "Leave these topics out")->group(kGroup);
  add_texts(app, "--rename", options.renames, "OLD=NEW|TEXT",
            "What a topic is called at the target: OLD=NEW for one, a text with {topic} for all others")
      ->group(kGroup);
  add_text(app, "--since", options.since, "TIME", "Only records with a timestamp at or after TIME")->group(kGroup);
  add_text(app, "--until", options.until, "TIME", "Only records with a timestamp before TIME")->group(kGroup);
  add_texts(app, "--from-offset", options.from_offsets, "TOPIC/PARTITION=N", "Of a partition, only from this offset on")
      ->group(kGroup);
  add_texts(app, "--until-offset", options.until_offsets, "TOPIC/PARTITION=N",
            "Of a partition, only up to this offset, without it")
      ->group(kGroup);
  add_choice<bool>(app, "--timestamp-zero", options.zero_as_one, {{"refuse", false}, {"1", true}},
                   "Records with timestamp 0, which the client library cannot write: refuse (default), or take it as 1")
      ->group(kGroup);
}

Result<TopicChoice> kafka_choice(const KafkaChoiceOptions& options, WallNs now_ns) {
  TopicChoice choice;
  choice.topics = options.topics;
  choice.renames = options.renames;
  choice.timestamp_zero_as_one = options.zero_as_one;
  DRS_ASSIGN_OR_RETURN(choice.since_ms, parse_ms(options.since, now_ns));
  DRS_ASSIGN_OR_RETURN(choice.until_ms, parse_ms(options.until, now_ns));
  DRS_ASSIGN_OR_RETURN(choice.from_offsets, parse_offsets(options.from_offsets));
  DRS_ASSIGN_OR_RETURN(choice.until_offsets, parse_offsets(options.until_offsets));
  DRS_RETURN_IF_ERROR(validate(choice));
  return choice;
}

}  // namespace drs
