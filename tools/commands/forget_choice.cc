#include "tools/commands/forget_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/format/names.h"
#include "io/base/error_class.h"
#include "tools/config/configuration.h"

namespace drs {
namespace {

constexpr std::string_view kNoRule =
    "no rule is given: give one, such as --keep-daily 7, or [[retention]] tables in a configuration file; "
    "`drstream forget ID` removes one snapshot, `drstream forget --all STREAM` a whole stream";

Error usage(std::string text) {
  return {ErrorCode::kUsage, std::move(text)};
}

// Whether `text` names a snapshot, not a stream.
bool names_snapshot(const std::string& text, const SnapshotCatalog& catalog, WallNs now_ns) {
  if (is_stream_pattern(text)) return false;
  const auto stream_exists = [&catalog](std::string_view name) { return catalog.latest(name) != nullptr; };
  const auto selector = parse_selector(text, stream_exists, now_ns);
  // A wrong time behind the @ is refused by the search for it.
  return text.find('@') != std::string::npos || (selector.ok() && selector->stream.empty());
}

class Chooser {
 public:
  Chooser(CommandContext& context, const ForgetCommand& command, const SeenHeads& seen, const SnapshotCatalog& catalog)
      : context_(context), command_(command), seen_(seen), catalog_(catalog) {}

  Result<ForgetChoice> choose() {
    if (!command_.all.empty()) return choose_whole_streams();
    if (!command_.damaged.empty()) {
      choice_.by = ForgetChoice::By::kNames;
      choice_.damaged = command_.damaged;
      return std::move(choice_);
    }
    const auto is_named = [&](const std::string& text) {
      return names_snapshot(text, catalog_, context_.clock.wall_ns());
    };
    const auto named = std::ranges::count_if(command_.targets, is_named);
    if (named == 0) return choose_by_rules();
    if (named < std::ssize(command_.targets))
      return usage("snapshots go as they are named, streams by rules: give either snapshots or streams");
    return choose_named();
  }

 private:
  Result<ForgetChoice> choose_named() {
    DRS_ASSIGN_OR_RETURN(const KeepRules rules, command_.keep.all());
    if (!rules.empty() || !command_.tags.empty())
      return usage("a snapshot that is named goes whatever the rules say: give no --keep-* and no --tag with it");
    choice_.by = ForgetChoice::By::kNames;
    for (const std::string& text : command_.targets) {
      DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen_.find(catalog_, text));
      choice_.named.push_back(snapshot);
    }
    return std::move(choice_);
  }

  // With damaged manifests, which would keep the data of the stream from being deleted.
  Result<ForgetChoice> choose_whole_streams() {
    choice_.by = ForgetChoice::By::kNames;
    for (const std::string& stream : command_.all) {
      DRS_RETURN_IF_ERROR(check_stream_name(stream));
      for (const Snapshot& snapshot : catalog_.live)
        if (snapshot.manifest.stream == stream) choice_.named.push_back(&snapshot);
      bool is_known = catalog_.latest(stream) != nullptr;
      for (const BrokenManifest& broken : catalog_.broken) {
        const auto parsed = parse_name(broken.name);
        if (broken.stream != stream || !parsed || parsed->kind != ObjectKind::kManifest) continue;
        is_known = true;
        if (is_too_new(broken.error)) return broken.error.with_context(broken.name);
        choice_.damaged.push_back(broken.name);
      }
      for (const MissingManifest& missing : catalog_.missing) {
        if (missing.stream != stream) continue;
        is_known = true;
        choice_.damaged.push_back(missing.name);
      }
      // For its message.
      if (!is_known) DRS_RETURN_IF_ERROR(seen_.find(catalog_, stream + "@latest"));
    }
    return std::move(choice_);
  }

  Result<ForgetChoice> choose_by_rules() {
    DRS_ASSIGN_OR_RETURN(const KeepRules rules, command_.keep.all());
    DRS_ASSIGN_OR_RETURN(choice_.tags, parse_tag_filter(command_.tags));
    const std::vector<Retention>& retentions = context_.configuration.retentions;
    if (rules.empty() && retentions.empty()) return usage(std::string(kNoRule));
    DRS_ASSIGN_OR_RETURN(const std::set<std::string> streams, chosen_streams());
    for (const std::string& stream : streams) {
      const Retention* const retention = retention_of(retentions, stream);
      if (!rules.empty())
        choice_.rules[stream] = {rules, "command line"};
      else if (retention != nullptr)
        choice_.rules[stream] = {retention->rules, retention->origin};
      else
        choice_.unruled.push_back(stream);
    }
    if (choice_.rules.empty() && !choice_.unruled.empty())
      context_.log.warn(
          "no [[retention]] table is for a stream of this repository, so nothing is removed: their `streams` name "
          "others; `drstream list` shows the names, and a table for pg/ is one for all that begin so");
    return std::move(choice_);
  }

  Result<std::set<std::string>> chosen_streams() {
    std::set<std::string> streams;
    if (command_.targets.empty())
      for (const Snapshot& snapshot : catalog_.live) streams.insert(snapshot.manifest.stream);
    for (const std::string& text : command_.targets) {
      if (is_stream_pattern(text)) {
        DRS_ASSIGN_OR_RETURN(std::set<std::string> matching, seen_.match(catalog_, text));
        streams.merge(std::move(matching));
        continue;
      }
      DRS_RETURN_IF_ERROR(check_stream_name(text));
      if (catalog_.latest(text) == nullptr) DRS_RETURN_IF_ERROR(seen_.find(catalog_, text + "@latest"));
      streams.insert(text);
    }
    return streams;
  }

  CommandContext& context_;
  const ForgetCommand& command_;
  const SeenHeads& seen_;
  const SnapshotCatalog& catalog_;
  ForgetChoice choice_;
};

}  // namespace

Result<void> check_forget(const CommandContext& context, const ForgetCommand& command) {
  DRS_ASSIGN_OR_RETURN(const KeepRules rules, command.keep.all());
  DRS_RETURN_IF_ERROR(parse_tag_filter(command.tags));
  const bool by_rules = !rules.empty() || !command.tags.empty();
  const int ways =
      (command.all.empty() ? 0 : 1) + (command.damaged.empty() ? 0 : 1) + (command.targets.empty() ? 0 : 1);
  const PruneOptions defaults;
  const PruneOptions& given = command.prune_options;
  if (!command.prune &&
      (given.age_min != defaults.age_min || given.grace != defaults.grace || given.undo != defaults.undo))
    return usage("--min-age, --grace and --undo are for the prune: give --prune, or leave them out");
  if (ways > 1) return usage("--all and --damaged stand alone: give one of them, or streams, or snapshots");
  if (by_rules && (!command.all.empty() || !command.damaged.empty()))
    return usage("--all and --damaged remove whatever the rules say: give no --keep-* and no --tag with them");
  for (const std::string& stream : command.all)
    if (is_stream_pattern(stream))
      return usage(fmt::format("--all takes the name of one stream, not the pattern '{}'", stream));
  if (command.targets.empty() && command.all.empty() && command.damaged.empty() && rules.empty() &&
      context.configuration.retentions.empty())
    return usage(std::string(kNoRule));
  return {};
}

Result<ForgetChoice> choose_to_forget(CommandContext& context, const ForgetCommand& command, const SeenHeads& seen,
                                      const SnapshotCatalog& catalog) {
  return Chooser(context, command, seen, catalog).choose();
}

}  // namespace drs
