// drstream key: the ways to open a repository.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/repository/key_slots.h"
#include "tools/command.h"
#include "tools/keys.h"
#include "tools/open_repository.h"
#include "tools/option_builder.h"
#include "tools/terminal_prompt.h"
#include "tools/text_table.h"
#include "tools/time_text.h"

namespace drs {
namespace {

std::string_view kind_name(SlotKind kind) {
  switch (kind) {
    case SlotKind::kRawKey: return "key";
    case SlotKind::kPassphrase: return "passphrase";
    case SlotKind::kClear: return "clear";
  }
  return "unknown";
}

Result<ExitCode> run_list(CommandContext& context) {
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  DRS_ASSIGN_OR_RETURN(const auto slots, list_slots(*repository));
  nlohmann::ordered_json document;
  document["repository"] = repository->config().repository.hex();
  document["slots"] = nlohmann::ordered_json::array();
  TextTable table({{"ID"}, {"KIND"}, {"MADE"}, {"LABEL"}, {"REMARK"}});
  for (const SlotInfo& info : slots) {
    const bool readable = info.slot.created_ns != 0;
    nlohmann::ordered_json entry;
    entry["id"] = info.id.hex();
    if (readable) {
      entry["kind"] = kind_name(info.slot.kind);
      entry["created"] = format_time_utc(info.slot.created_ns);
      entry["label"] = info.slot.label;
    }
    entry["current"] = info.current;
    entry["problem"] = info.problem;
    document["slots"].push_back(std::move(entry));
    table.add_row({info.id.hex(), readable ? std::string(kind_name(info.slot.kind)) : "?",
                   readable ? format_time_local(info.slot.created_ns) : "?", info.slot.label,
                   !info.problem.empty() ? info.problem
                   : info.current        ? "opened this repository now"
                                         : ""});
  }
  context.output.document("drstream.key-list/1", document);
  context.output.text(table.text());
  return ExitCode::kOk;
}

struct KeyAddCommand {
  KeyOptions fresh;
  std::string label;
};

Result<ExitCode> run_add(CommandContext& context, const KeyAddCommand& command) {
  // Before the old key is taken: that wipes the environment, where these may come from.
  DRS_ASSIGN_OR_RETURN(SuppliedSecret fresh, read_secret(command.fresh, context.cancel));
  for (const std::string& warning : fresh.warnings) context.log.warn("{}", warning);
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  if (!fresh.given()) {
    const auto prompt = terminal_prompt(context.cancel);
    if (!prompt)
      return Error{ErrorCode::kWrongKey,
                   "no new key was given; accepted are --new-key-file FILE, --new-passphrase-file FILE, "
                   "--new-passphrase-command CMD, or a prompt on a terminal"};
    DRS_ASSIGN_OR_RETURN(fresh.secret, prompt_new_secret(*prompt));
  }
  DRS_ASSIGN_OR_RETURN(const Uuid id, add_slot(*repository, fresh.secret, command.label));
  nlohmann::ordered_json document;
  document["id"] = id.hex();
  document["kind"] = kind_name(fresh.secret.kind);
  document["label"] = command.label;
  context.output.document("drstream.key-add/1", document);
  context.output.text(fmt::format("added key slot {} ({})", id.hex(), kind_name(fresh.secret.kind)));
  return ExitCode::kOk;
}

Result<ExitCode> run_remove(CommandContext& context, const std::string& slot) {
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  const auto removed = remove_slot(*repository, slot);
  if (!removed.ok() && removed.error().code == ErrorCode::kNotFound)
    return Error{ErrorCode::kUsage, removed.error().message + "; `drstream key list` shows them"};
  if (!removed.ok()) return removed.error();
  nlohmann::ordered_json document;
  document["id"] = removed->hex();
  context.output.document("drstream.key-remove/1", document);
  context.output.text(fmt::format("removed key slot {}", removed->hex()));
  context.log.warn(
      "whoever had that key and a copy of the repository can still read the copy: the master key is the same");
  return ExitCode::kOk;
}

Result<ExitCode> run_test(CommandContext& context) {
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  const std::string slot = repository->opened_with_slot().hex();
  nlohmann::ordered_json document;
  document["repository"] = repository->config().repository.hex();
  document["slot"] = slot;
  document["encrypted"] = repository->config().encrypted;
  context.output.document("drstream.key-test/1", document);
  context.output.text(repository->config().encrypted
                          ? fmt::format("the key opens slot {}", slot)
                          : fmt::format("the repository is not encrypted; slot {} holds its key in clear", slot));
  return ExitCode::kOk;
}

void add_key_add_command(CommandSet& commands, CLI::App& key) {
  const auto command = std::make_shared<KeyAddCommand>();
  CLI::App* const app = add_subcommand(key, "add", "Add a key slot: one more way to open the repository",
                                       "  drstream key add --new-key-file /media/safe/drs.key --label 'offline safe'\n"
                                       "  drstream key add --new-passphrase-command 'pass show backups'\n");
  as_setting(add_text(*app, "--new-key-file", command->fresh.key_file, "FILE", "The new key, 64 hex digits"));
  as_setting(add_text(*app, "--new-passphrase-file", command->fresh.passphrase_file, "FILE", "The new passphrase"));
  as_setting(add_text(*app, "--new-passphrase-command", command->fresh.passphrase_command, "CMD",
                      "Run CMD, split into words without a shell, and take what it prints as the new passphrase"));
  add_text(*app, "--label", command->label, "TEXT", "What `key list` shows beside the new key slot");
  commands.add(
      {app, CommandEffect::kChanges, false, [command](CommandContext& context) { return run_add(context, *command); }});
}

}  // namespace

void add_key_commands(CommandSet& commands) {
  CLI::App* const key = add_subcommand(commands.root(), "key", "Manage the ways to open the repository", "");
  key->require_subcommand(0, 1);
  commands.add({add_subcommand(*key, "list", "List key slots", "  drstream key list\n"), CommandEffect::kReads, false,
                run_list});
  add_key_add_command(commands, *key);
  const auto slot = std::make_shared<std::string>();
  CLI::App* const remove = add_subcommand(*key, "remove", "Remove a key slot; the last one cannot be removed",
                                          "  drstream key remove 3f9c\n");
  remove->add_option("SLOT", *slot, "The slot's id or its beginning, as `key list` shows it")
      ->required()
      ->type_name("");
  commands.add(
      {remove, CommandEffect::kChanges, false, [slot](CommandContext& context) { return run_remove(context, *slot); }});
  commands.add({add_subcommand(*key, "test", "Prove that the key supplied opens the repository",
                               "  drstream key test --key-file /media/safe/drs.key\n"),
                CommandEffect::kReads, false, run_test});
}

}  // namespace drs
