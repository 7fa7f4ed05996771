// drstream kafka offsets: moves consumer groups to the restored topics.
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/topics/cluster_error.h"
#include "engine/topics/offset_map.h"
#include "io/file_sink.h"
#include "io/read_to_end.h"
#include "tools/cli/option_builder.h"
#include "tools/commands/kafka_choice.h"
#include "tools/commands/kafka_commands.h"
#include "tools/commands/kafka_options.h"
#include "tools/commands/open_archive.h"
#include "tools/output/printable.h"
#include "tools/output/summary_text.h"

namespace drs {
namespace {

constexpr std::string_view kUndoSchema = "drstream.kafka-offsets-undo/1";
constexpr std::size_t kUndoFileBytesMax = 256 * kMiB;
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

struct KafkaOffsetsCommand {
  std::string selector;
  KafkaOptions kafka;
  KafkaChoiceOptions choice;
  std::string groups = "*";
  bool plan = false;
  std::string apply;  // the file for the offsets before
  std::string undo;   // such a file
};

nlohmann::ordered_json groups_json(const std::vector<TranslatedGroup>& groups) {
  auto out = nlohmann::ordered_json::array();
  for (const TranslatedGroup& group : groups) {
    nlohmann::ordered_json one;
    one["group"] = group.group;
    one["active"] = group.active;
    one["offsets"] = nlohmann::ordered_json::array();
    for (const TranslatedOffset& offset : group.offsets) {
      nlohmann::ordered_json each;
      each["topic"] = offset.source.topic;
      each["target"] = offset.target.topic;
      each["partition"] = offset.source.partition;
      each["archived"] = offset.archived;
      each["offset"] = offset.offset;
      if (offset.before) each["before"] = offset.before->offset;
      each["clamped"] = offset.clamped;
      each["expired"] = offset.expired;
      one["offsets"].push_back(std::move(each));
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::string groups_text(const std::vector<TranslatedGroup>& groups) {
  std::string out;
  for (const TranslatedGroup& group : groups)
    for (const TranslatedOffset& offset : group.offsets)
      out +=
          fmt::format("{} {}/{}: {} in the archive, {} at the target as {}/{}{}{}{}\n", printable_value(group.group),
                      offset.source.topic, offset.source.partition, offset.archived, offset.offset, offset.target.topic,
                      offset.target.partition, offset.before ? fmt::format(", now {}", offset.before->offset) : "",
                      offset.clamped ? "; the group was ahead of the archive" : "",
                      offset.expired ? "; retention has deleted its position" : "");
  return out;
}

// What --undo needs: the offsets that the groups have before they are set. A file that exists is not replaced.
Result<void> save_offsets(CommandContext& context, const std::string& path,
                          const std::vector<TranslatedGroup>& groups) {
  nlohmann::ordered_json out;
  out["schema"] = kUndoSchema;
  out["groups"] = nlohmann::ordered_json::array();
  for (const TranslatedGroup& group : groups) {
    nlohmann::ordered_json one;
    one["group"] = group.group;
    one["offsets"] = nlohmann::ordered_json::array();
    for (const TranslatedOffset& offset : group.offsets) {
      nlohmann::ordered_json each = {{"topic", offset.target.topic}, {"partition", offset.target.partition}};
      if (offset.before) each["offset"] = offset.before->offset;
      if (offset.before) set_text(each, "metadata", offset.before->metadata);
      one["offsets"].push_back(std::move(each));
    }
    out["groups"].push_back(std::move(one));
  }
  const std::string text = dump_json(out, JsonLayout::kIndented) + "\n";
  const auto sink = make_file_sink(path, Existing::kRefuse, context.options.io, text.size());
  if (!sink.ok() && sink.error().code == ErrorCode::kAlreadyExists)
    return Error(ErrorCode::kUsage,
                 fmt::format("--apply: {} exists, and may hold what an earlier run has saved: name another file; "
                             "nothing was changed",
                             path));
  if (!sink.ok()) return sink.error();
  DRS_RETURN_IF_ERROR((*sink)->write(as_bytes(text)));
  return (*sink)->commit();
}

struct SavedGroup {
  std::string group;
  std::vector<GroupOffset> offsets;
  std::vector<TopicPartition> without;  // of which it had no offset
};
Result<std::vector<SavedGroup>> read_saved(CommandContext& context, const std::string& path) {
  const auto wrong = [&](const std::string& why) {
    return Error(ErrorCode::kUsage, fmt::format("{} is no file of `drstream kafka offsets --apply`: {}", path, why));
  };
  const auto file = open_to_read(path);
  if (!file.ok()) return Error(ErrorCode::kUsage, file.error().message);
  DRS_ASSIGN_OR_RETURN(const SecretBytes bytes, read_to_end(*file, kUndoFileBytesMax, context.cancel));
  const auto json = nlohmann::json::parse(as_text(bytes.view()), nullptr, false);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != kUndoSchema || !json.contains("groups") ||
      !json["groups"].is_array())
    return wrong("it does not say so");
  std::vector<SavedGroup> groups;
  for (const auto& group : json["groups"]) {
    if (!group.is_object() || !group.contains("group") || !group["group"].is_string() || !group.contains("offsets") ||
        !group["offsets"].is_array())
      return wrong("a group is not complete");
    SavedGroup saved{group["group"].get<std::string>(), {}, {}};
    for (const auto& offset : group["offsets"]) {
      const bool none = offset.is_object() && !offset.contains("offset");
      if (!offset.is_object() || !offset.contains("topic") || !offset["topic"].is_string() ||
          !offset.contains("partition") || !offset["partition"].is_number_unsigned() ||
          (!none && !offset["offset"].is_number_unsigned()) ||
          (offset.contains("metadata") && !offset["metadata"].is_string()))
        return wrong("an offset is not complete");
      if (offset["partition"].get<std::uint64_t>() > kNumberMax ||
          (!none && offset["offset"].get<std::uint64_t>() > kOffsetMax))
        return wrong("a number is out of range");
      TopicPartition partition{offset["topic"].get<std::string>(), offset["partition"].get<std::uint32_t>()};
      if (none)
        saved.without.push_back(std::move(partition));
      else
        saved.offsets.push_back(
            {std::move(partition), offset["offset"].get<std::int64_t>(), offset.value("metadata", std::string())});
    }
    groups.push_back(std::move(saved));
  }
  return groups;
}

Result<ExitCode> run_undo(CommandContext& context, const KafkaSettings& settings, const std::string& path) {
  DRS_ASSIGN_OR_RETURN(const std::vector<SavedGroup> groups, read_saved(context, path));
  DRS_ASSIGN_OR_RETURN(const auto cluster, of_target(connect_cluster(context, settings)));
  for (const SavedGroup& group : groups) {
    auto set = of_target(cluster->set_group_offsets(group.group, group.offsets));
    if (set.ok()) set = of_target(cluster->delete_group_offsets(group.group, group.without));
    if (!set.ok()) return std::move(set).error().with_context("group " + group.group);
  }
  nlohmann::ordered_json out;
  out["group_count"] = groups.size();
  context.output.document("drstream.kafka-offsets-undone/1", out);
  context.output.remark(fmt::format("set {} back", counted(groups.size(), "group")));
  return ExitCode::kOk;
}

Result<void> apply(CommandContext& context, const KafkaClients& clients, const KafkaOffsetsCommand& command,
                   const std::vector<TranslatedGroup>& groups) {
  for (const TranslatedGroup& group : groups)
    if (group.active)
      return Error(ErrorCode::kBusy,
                   fmt::format("group {} has members at the target: stop its consumers first; nothing "
                               "was changed",
                               group.group));
  DRS_RETURN_IF_ERROR(save_offsets(context, command.apply, groups));
  context.effect = CommandEffect::kChanges;
  for (const TranslatedGroup& group : groups) {
    std::vector<GroupOffset> offsets;
    for (const TranslatedOffset& offset : group.offsets)
      offsets.push_back({offset.target, offset.offset, offset.metadata});
    auto set = of_target(clients.cluster->set_group_offsets(group.group, offsets));
    if (!set.ok()) return std::move(set).error().with_context("group " + group.group);
  }
  return {};
}

Result<ExitCode> run_offsets(CommandContext& context, const KafkaOffsetsCommand& command) {
  const int ways = (command.plan ? 1 : 0) + (command.apply.empty() ? 0 : 1) + (command.undo.empty() ? 0 : 1);
  if (ways != 1) return Error(ErrorCode::kUsage, "give one of --plan, --apply FILE and --undo FILE");
  DRS_ASSIGN_OR_RETURN(const TopicChoice choice, kafka_choice(command.choice, context.clock.wall_ns()));
  DRS_ASSIGN_OR_RETURN(const KafkaSettings settings, kafka_settings(context, command.kafka));
  if (!command.undo.empty()) return run_undo(context, settings, command.undo);
  DRS_ASSIGN_OR_RETURN(const ArchiveAndCluster both,
                       open_archive_and_cluster(context, command.selector, choice, settings));
  const auto cancelling = context.cancel.on_cancel([&] { both.clients.cancel(); });
  DRS_ASSIGN_OR_RETURN(
      const std::vector<TranslatedGroup> groups,
      translate_offsets(both.archive.view(), both.topics, command.groups, *both.clients.cluster, *both.clients.reader));
  for (const TranslatedGroup& group : groups)
    if (group.active) context.log.warn("group {} has members at the target: its offsets cannot be set", group.group);
  if (!command.plan) DRS_RETURN_IF_ERROR(apply(context, both.clients, command, groups));
  nlohmann::ordered_json out;
  out["id"] = both.archive.snapshot.id();
  out["applied"] = !command.plan;
  out["groups"] = groups_json(groups);
  context.output.document("drstream.kafka-offsets/1", out);
  context.output.text(groups_text(groups));
  if (!command.plan)
    context.output.remark(fmt::format("set {}; `drstream kafka offsets --undo {}` sets them back",
                                      counted(groups.size(), "group"), command.apply));
  return ExitCode::kOk;
}

}  // namespace

void add_kafka_offsets_command(CommandSet& commands, CLI::App& kafka) {
  const auto command = std::make_shared<KafkaOffsetsCommand>();
  CLI::App* const app = add_subcommand(kafka, "offsets", "Move consumer groups to the restored topics",
                                       "  drstream kafka offsets prod@latest --bootstrap dr:9092 --plan\n"
                                       "  drstream kafka offsets prod@latest --bootstrap dr:9092 --apply before.json\n"
                                       "  drstream kafka offsets prod@latest --bootstrap dr:9092 --undo before.json\n");
  declare_archive(*app, command->selector);
  declare_kafka_options(*app, command->kafka);
  declare_kafka_choice(*app, command->choice);
  add_text(*app, "--groups", command->groups, "GLOB", "Only these groups of the archive (default *)");
  add_flag(*app, "--plan", command->plan, "Print what would be set");
  add_text(*app, "--apply", command->apply, "FILE",
           "Set the offsets of groups without members, and save those before to FILE, which must not exist");
  add_text(*app, "--undo", command->undo, "FILE", "Set the offsets that --apply saved to FILE");
  commands.add({app, CommandEffect::kReadsTopics,
                [command](CommandContext& context) { return run_offsets(context, *command); }});
}

}  // namespace drs
