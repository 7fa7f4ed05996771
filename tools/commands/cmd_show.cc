// drstream show: everything that is known of one snapshot.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/topics/open_topics.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/output/hold_text.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"
#include "tools/output/topics_text.h"
#include "tools/repository/heads.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

std::string lines_of(const SnapshotCatalog& catalog, const Holds& holds, const Snapshot& snapshot) {
  const ManifestHeader& manifest = snapshot.manifest;
  std::string out;
  const auto line = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<14} {}\n", name, printable_message(value));
  };
  const auto size = [](std::uint64_t bytes) { return fmt::format("{} ({})", bytes, format_size(bytes)); };
  line("id", snapshot.id());
  line("stream", manifest.stream);
  line("time", format_time_local(manifest.snapshot_ns));
  line("started", format_time_local(manifest.started_ns));
  line("finished", format_time_local(manifest.finished_ns));
  line("bytes", size(manifest.bytes));
  if (manifest.content == ManifestContent::kBytes) {
    line("sha256", manifest.sha256 ? manifest.sha256->hex() : "not computed");
    line("xxh3-128", manifest.xxh3.hex());
  } else {
    line("content", std::string(content_name(manifest.content)));
  }
  line("chunks", std::to_string(manifest.chunk_count));
  line("new", size(manifest.new_bytes));
  line("stored", size(manifest.stored_bytes));
  line("producer", producer_text(manifest));
  line("command", manifest.command);
  line("stderr", manifest.stderr_tail);
  line("trailer", manifest.trailer_pattern);
  line("host", manifest.host);
  line("tool", manifest.tool_version);
  line("tags", format_tags(manifest.tags));
  line("sequence", std::to_string(manifest.sequence));
  for (const Snapshot& sibling : siblings_of(catalog, snapshot))
    if (sibling.id() != snapshot.id()) line("sibling", sibling.id() + ", pushed at the same time");
  if (const auto held = holds.find(snapshot.name); held != holds.end()) line("held", hold_text(held->second));
  line("predecessor", manifest.predecessor_name.empty() ? "none" : manifest.predecessor_name);
  line("manifest", snapshot.name);
  line("head",
       format_head({manifest.stream, manifest.sequence, snapshot.digest, snapshot.name, manifest.finished_ns, {}, {}}));
  return out;
}

struct ShowCommand {
  std::string selector;
  std::string topic;
};

// What an archive of topics holds.
struct Topics {
  TopicCatalogue catalogue;
  TopicDetails details;
};
Result<Topics> load_topics(Repository& repository, const Snapshot& snapshot, const std::string& topic,
                           Listing listing) {
  Topics topics;
  DRS_ASSIGN_OR_RETURN(const auto open, OpenTopics::open(repository, snapshot, 16 * kMiB, std::move(listing)));
  topics.catalogue = open->view().catalogue();
  if (topic.empty()) return topics;
  for (const CatalogueTopic& each : topics.catalogue.topics) {
    if (each.name != topic) continue;
    DRS_ASSIGN_OR_RETURN(topics.details[each.generation], open->view().details(each));
  }
  if (topics.details.empty())
    return Error(ErrorCode::kUsage, "the archive has no topic '" + topic + "': without --topic it lists its topics");
  return topics;
}

Result<ExitCode> run_show(CommandContext& context, const ShowCommand& command) {
  const std::string& selector = command.selector;
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots, &listing));
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository, listing));
  DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, selector));
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(*repository, context.clock.wall_ns(), listing));
  nlohmann::ordered_json document = snapshot_json(catalog, holds, *snapshot);
  std::string text = lines_of(catalog, holds, *snapshot);
  if (snapshot->manifest.content == ManifestContent::kTopics) {
    DRS_ASSIGN_OR_RETURN(const Topics topics, load_topics(*repository, *snapshot, command.topic, std::move(listing)));
    document["archive"] = catalogue_json(topics.catalogue, command.topic, topics.details);
    text += catalogue_text(topics.catalogue, command.topic, topics.details);
  } else if (!command.topic.empty()) {
    return Error(ErrorCode::kUsage, "--topic: snapshot " + snapshot->id() + " is not an archive of topics");
  }
  context.output.document("drstream.show/1", document);
  context.output.text(text);
  return ExitCode::kOk;
}

}  // namespace

void add_show_command(CommandSet& commands) {
  const auto command = std::make_shared<ShowCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "show", "Show one snapshot",
                                       "  drstream show pg/app@latest\n"
                                       "  drstream show 3f9c01d2 --json\n"
                                       "  drstream show prod@latest --topic orders\n");
  app->add_option(
         "SNAPSHOT", command->selector,
         "A stream or stream@latest (what was pushed to it last), stream@TIME (its newest at or before the end of "
         "that second, minute or day), an id or its first 8 or more digits")
      ->required()
      ->type_name("");
  add_text(*app, "--topic", command->topic, "TOPIC",
           "Of an archive of topics: this topic's configurations and partitions, with what is missing");
  commands.add(
      {app, CommandEffect::kReads, [command](CommandContext& context) { return run_show(context, *command); }});
}

}  // namespace drs
