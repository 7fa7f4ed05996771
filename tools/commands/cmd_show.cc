// drstream show: everything that is known of one snapshot.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/output/hold_text.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"
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

Result<ExitCode> run_show(CommandContext& context, const std::string& selector) {
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots, &listing));
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository, listing));
  DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, selector));
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(*repository, context.clock.wall_ns(), listing));
  context.output.document("drstream.show/1", snapshot_json(catalog, holds, *snapshot));
  context.output.text(lines_of(catalog, holds, *snapshot));
  return ExitCode::kOk;
}

}  // namespace

void add_show_command(CommandSet& commands) {
  const auto selector = std::make_shared<std::string>();
  CLI::App* const app = add_subcommand(commands.root(), "show", "Show one snapshot",
                                       "  drstream show pg/app@latest\n"
                                       "  drstream show 3f9c01d2 --json\n");
  app->add_option(
         "SNAPSHOT", *selector,
         "A stream or stream@latest (what was pushed to it last), stream@TIME (its newest at or before the end of "
         "that second, minute or day), an id or its first 8 or more digits")
      ->required()
      ->type_name("");
  commands.add(
      {app, CommandEffect::kReads, [selector](CommandContext& context) { return run_show(context, *selector); }});
}

}  // namespace drs
