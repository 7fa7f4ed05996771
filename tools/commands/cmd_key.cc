// drstream key: the ways to open a repository.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/repository/key_slots.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/output/text_table.h"
#include "tools/output/time_text.h"
#include "tools/repository/keys.h"
#include "tools/repository/open_repository.h"

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
      set_text(entry, "label", info.slot.label);
    }
    entry["current"] = info.current;
    set_text(entry, "problem", info.problem);
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
  // Before the old key is taken: that wipes the environment, which the new one may come from.
  DRS_ASSIGN_OR_RETURN(SuppliedSecret fresh, read_secret(command.fresh, context.cancel));
  for (const std::string& warning : fresh.warnings) context.log.warn("{}", warning);
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  if (!fresh.given()) {
    const auto prompt = terminal_prompt(context.cancel);
    if (!prompt)
      return Error(ErrorCode::kWrongKey,
                   "no new key was given; accepted are --new-key-file FILE, --new-passphrase-file FILE, "
                   "--new-passphrase-command CMD, or a prompt on a terminal");
    DRS_ASSIGN_OR_RETURN(fresh.secret, prompt_new_secret(*prompt));
  }
  warn_of_other_owner(context);
  // A second slot of one key protects against nothing, and after `key remove` of one the key would still open.
  DRS_ASSIGN_OR_RETURN(const auto opened, slots_opened_by(*repository, fresh.secret));
  const bool add = opened.empty() || fresh.secret.kind == SlotKind::kClear;
  Uuid id;
  if (add) {
    DRS_ASSIGN_OR_RETURN(id, add_slot(*repository, fresh.secret, command.label));
  } else {
    id = opened.front();
  }
  nlohmann::ordered_json document;
  document["slot"] = id.hex();
  document["slot_kind"] = kind_name(fresh.secret.kind);
  document["added"] = add;
  if (add) set_text(document, "label", command.label);
  context.output.document("drstream.key-add/1", document);
  context.output.remark(
      add ? fmt::format("added key slot {} ({})", id.hex(), kind_name(fresh.secret.kind))
          : fmt::format("this {} already has key slot {}: nothing was added", kind_name(fresh.secret.kind), id.hex()));
  return ExitCode::kOk;
}

struct KeyRemoveCommand {
  std::string slot;
  bool force = false;
};

// Refuses to remove the only slot that the given key opens: the operator would lock himself out if the keys of the
// other slots are lost. `secret`: the key, or Secret{} where it was typed.
Result<void> refuse_last_of_this_key(Repository& repository, const Secret& secret, const std::string& slot) {
  if (slot.empty() || !repository.opened_with_slot().hex().starts_with(slot)) return {};
  DRS_ASSIGN_OR_RETURN(const auto slots, list_slots(repository));
  const auto is_named = [&](const SlotInfo& info) { return info.id.hex().starts_with(slot); };
  const bool ambiguous = std::ranges::count_if(slots, is_named) != 1;
  const auto named = std::ranges::find_if(slots, is_named);
  if (ambiguous || !named->current) return {};
  std::string others;
  for (const SlotInfo& info : slots)
    if (info.problem.empty() && info.id != named->id)
      others += fmt::format("{}{} ({}{}{})", others.empty() ? "" : ", ", info.id.hex(), kind_name(info.slot.kind),
                            info.slot.label.empty() ? "" : ", ", info.slot.label);
  if (others.empty()) return {};  // the last slot, which is never removed
  if (secret.kind != SlotKind::kClear) {
    DRS_ASSIGN_OR_RETURN(const auto opened, slots_opened_by(repository, secret));
    if (opened.size() > 1) return {};
  }
  return Error(ErrorCode::kUsage,
               fmt::format("slot {} is the one that the given key opens: without it that key no longer opens the "
                           "repository. The slots that remain: {}. Give the key of one of them to this command, which "
                           "proves that you have it, or give --force; nothing was removed",
                           named->id.hex(), others));
}

Result<ExitCode> run_remove(CommandContext& context, const KeyRemoveCommand& command) {
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, place, secret));
  if (!command.force) DRS_RETURN_IF_ERROR(refuse_last_of_this_key(*repository, secret, command.slot));
  warn_of_other_owner(context, place);
  const auto removed = remove_slot(*repository, command.slot);
  if (!removed.ok() && removed.error().code == ErrorCode::kNotFound)
    return Error(ErrorCode::kUsage, removed.error().message + "; `drstream key list` shows them");
  if (!removed.ok()) return removed.error();
  nlohmann::ordered_json document;
  document["slot"] = removed->hex();
  context.output.document("drstream.key-remove/1", document);
  context.output.remark(fmt::format("removed key slot {}", removed->hex()));
  context.log.warn(
      "anyone who has that key and a copy of the repository can still read the copy: the master key is the same");
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
      {app, CommandEffect::kChanges, [command](CommandContext& context) { return run_add(context, *command); }});
}

}  // namespace

void add_key_commands(CommandSet& commands) {
  CLI::App* const key = add_subcommand(commands.root(), "key", "Manage the ways to open the repository", "");
  key->require_subcommand(0, 1);
  commands.add(
      {add_subcommand(*key, "list", "List key slots", "  drstream key list\n"), CommandEffect::kReads, run_list});
  add_key_add_command(commands, *key);
  const auto remove_command = std::make_shared<KeyRemoveCommand>();
  CLI::App* const remove = add_subcommand(*key, "remove", "Remove a key slot; the last one cannot be removed",
                                          "  drstream key remove 3f9c\n");
  remove->add_option("SLOT", remove_command->slot, "The slot's id or its beginning, as `key list` shows it")
      ->required()
      ->type_name("");
  add_flag(*remove, "--force", remove_command->force,
           "Remove the slot also if it is the only one that the given key opens");
  commands.add({remove, CommandEffect::kChanges,
                [remove_command](CommandContext& context) { return run_remove(context, *remove_command); }});
  commands.add({add_subcommand(*key, "test", "Prove that the key supplied opens the repository",
                               "  drstream key test --key-file /media/safe/drs.key\n"),
                CommandEffect::kReads, run_test});
}

}  // namespace drs
