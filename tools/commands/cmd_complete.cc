// drstream complete: the streams or snapshots that a shell offers while a command line is typed. Hidden; the completion
// scripts call it.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <set>

#include "engine/repository/snapshots.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/output/time_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

enum class Completes { kStreams, kSnapshots };

struct CompleteCommand {
  Completes kind = Completes::kStreams;
  std::string prefix;
};

constexpr std::size_t kIdDigitsOffered = 12;
constexpr std::size_t kSnapshotsOfferedMax = 100;  // the newest of a stream
constexpr std::chrono::seconds kStoreTimeout{5};   // a user waits at a prompt

// "2026-11-20T01:00:05Z": as a selector it means the end of that second.
std::string seconds_text(WallNs time_ns) {
  const std::string text = format_time_utc(time_ns);
  return text.substr(0, text.find('.')) + "Z";
}

std::set<std::string> words_of(const SnapshotCatalog& catalog, Completes kind) {
  std::set<std::string> words;
  std::size_t of_stream = 0;
  const std::string* stream = nullptr;
  for (auto snapshot = catalog.live.rbegin(); snapshot != catalog.live.rend(); ++snapshot) {
    const ManifestHeader& manifest = snapshot->manifest;
    // Only names that a shell reads as one word are offered.
    if (!check_stream_name(manifest.stream).ok()) continue;
    if (stream == nullptr || *stream != manifest.stream) of_stream = 0;
    stream = &manifest.stream;
    words.insert(manifest.stream);
    if (kind == Completes::kStreams || ++of_stream > kSnapshotsOfferedMax) continue;
    words.insert(manifest.stream + "@latest");
    words.insert(manifest.stream + "@" + seconds_text(manifest.snapshot_ns));
    words.insert(snapshot->id().substr(0, kIdDigitsOffered));
  }
  return words;
}

// Names first; times once an @ is typed, and ids once a digit is.
bool is_offered(const std::string& word, const std::string& prefix) {
  if (!word.starts_with(prefix)) return false;
  const bool is_id = word.size() == kIdDigitsOffered && word.find_first_not_of("0123456789abcdef") == std::string::npos;
  const bool is_time = word.find('@') != std::string::npos;
  if (is_time) return prefix.find('@') != std::string::npos;
  return !is_id || !prefix.empty();
}

Result<ExitCode> run_complete(CommandContext& context, const CompleteCommand& command) {
  DRS_ASSIGN_OR_RETURN(RepositoryLocation place, repository_location(context.options));
  // A passphrase command may open a dialogue, which a TAB must not do.
  const KeyOptions& key = place.key.any() ? place.key : context.options.key;
  if (!key.passphrase_command.empty()) return ExitCode::kOk;
  place.cloud.store_timeout = kStoreTimeout;
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, place, secret, Reads::kSnapshots, &listing));
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, load_snapshots(*repository, std::nullopt, listing));
  std::string lines;
  for (const std::string& word : words_of(catalog, command.kind))
    if (is_offered(word, command.prefix)) lines += word + "\n";
  context.output.page(lines);
  return ExitCode::kOk;
}

}  // namespace

void add_complete_command(CommandSet& commands) {
  CLI::App* const app = add_subcommand(commands.root(), "complete", "Print completions for a shell", "");
  app->group("");  // hidden
  app->require_subcommand(1, 1);
  for (const auto& [name, kind] : {std::pair{"streams", Completes::kStreams}, {"snapshots", Completes::kSnapshots}}) {
    const auto command = std::make_shared<CompleteCommand>();
    command->kind = kind;
    CLI::App* const child = add_subcommand(*app, name, std::string("Print the ") + name + " that begin so", "");
    child->add_option("--prefix", command->prefix, "What is typed already");
    commands.add(
        {child, CommandEffect::kReads, [command](CommandContext& context) { return run_complete(context, *command); }});
  }
}

}  // namespace drs
