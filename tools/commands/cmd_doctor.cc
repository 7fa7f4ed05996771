// drstream doctor: whether this machine and the repository's file system or object store are fit, and what drstream
// will use.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "codecs/crypto_backend.h"
#include "engine/pipeline/memory_plan.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/cloud_check.h"
#include "tools/commands/doctor_checks.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/open_cloud.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/repository_directory.h"

namespace drs {
namespace {

using State = CheckResult::State;

std::string_view state_name(State state) {
  switch (state) {
    case State::kGood: return "ok";
    case State::kNotice: return "notice";
    case State::kBad: return "BAD";
  }
  return "ok";
}

std::string with_notice(std::string text, const std::string& notice) {
  return notice.empty() ? text : text + "; " + notice;
}

Result<std::vector<CheckResult>> check_memory_plan(const GlobalOptions& options) {
  const auto chosen = options.memory_bytes();
  if (!chosen.ok()) return std::vector<CheckResult>{failed_check("memory limit", chosen.error())};
  const std::size_t memory_bytes = *chosen;
  DRS_ASSIGN_OR_RETURN(
      const PushMemory push,
      plan_push({.memory_bytes = memory_bytes, .threads = options.thread_count()}, CompressionChoice{}));
  DRS_ASSIGN_OR_RETURN(const PullMemory pull,
                       plan_pull({.memory_bytes = memory_bytes, .threads = options.thread_count()}));
  const CheckResult limit = check_memory_limit(options.limits, memory_bytes);
  const auto state_of = [](const std::string& notice) { return notice.empty() ? State::kGood : State::kNotice; };
  return std::vector<CheckResult>{
      limit,
      {"push memory", state_of(push.notice),
       with_notice(fmt::format("{}: {} workers, packs of {}, buffers {}, dedup table {}", format_size(memory_bytes),
                               push.workers, format_size(push.pack_bytes_target), format_size(push.arena_bytes),
                               format_size(push.index_table_bytes)),
                   push.notice)},
      {"pull memory", state_of(pull.notice),
       with_notice(fmt::format("{}: {} workers, {} decoded blocks, buffers {}", format_size(memory_bytes), pull.workers,
                               pull.block_buffers, format_size(pull.arena_bytes)),
                   pull.notice)}};
}

struct DoctorCommand {
  std::optional<StoreRole> role;
};

Result<std::vector<CheckResult>> check_bucket(CommandContext& context, const RepositoryLocation& place,
                                              std::optional<StoreRole> role) {
  if (place.kind == RepositoryLocation::Kind::kGcs) {
    DRS_ASSIGN_OR_RETURN(const auto probe, open_gcs_probe(place, store_environment(context)));
    return check_gcs(*probe, context.clock, role);
  }
  DRS_ASSIGN_OR_RETURN(S3Probe probe, open_s3_probe(place, store_environment(context)));
  return check_s3(probe, context.clock, role);
}

// Whether the key that is given opens the repository of `place`; it is never asked for. nullopt: there is no
// repository, and no key. Errors: kCancelled.
Result<std::optional<CheckResult>> check_key(CommandContext& context, const RepositoryLocation& place,
                                             bool has_repository) {
  constexpr const char* kName = "key";
  const auto failed = [](const Error& error) -> Result<std::optional<CheckResult>> {
    if (error.code == ErrorCode::kCancelled) return error;
    const char* const advice =
        error.code == ErrorCode::kWrongKey ? "; `drstream help keys` has the ways to give one" : "";
    return std::optional(failed_check(kName, Error(error.code, error.message + advice, error.error_number)));
  };
  const auto secret = take_secret(context, place);
  if (!secret.ok()) return failed(secret.error());
  const bool given = secret->kind != SlotKind::kClear;
  if (!has_repository) {
    if (!given) return std::optional<CheckResult>();
    return std::optional(
        CheckResult{kName, State::kGood, "can be read; there is no repository yet that it could open"});
  }
  auto store = open_store(place, context.options, store_environment(context));
  if (!store.ok()) return failed(store.error());
  const auto opened = Repository::open(*std::move(store), context.clock, *secret, best_crypto_backend());
  if (opened.ok())
    return std::optional(CheckResult{kName, State::kGood,
                                     (*opened)->config().encrypted ? "opens slot " + (*opened)->opened_with_slot().hex()
                                                                   : "none is needed: NOT encrypted"});
  if (!given && opened.error().code == ErrorCode::kWrongKey)
    return std::optional(CheckResult{kName, State::kNotice, "none was given: it is not known whether a push has one"});
  return failed(opened.error());
}

Result<std::vector<CheckResult>> check_repository(CommandContext& context, const DoctorCommand& command) {
  std::vector<CheckResult> results;
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  if (place.kind == RepositoryLocation::Kind::kLocal) {
    auto files = open_repository_files(place, context.options);
    if (!files.ok()) {
      if (files.error().code == ErrorCode::kUsage) return std::move(files).error();
      return std::vector<CheckResult>{failed_check("repository", files.error())};
    }
    results = check_file_system(**files);
    if (const auto refused = refused_access(place.name)) results.push_back(failed_check("permissions", *refused));
  } else {
    auto looked = check_bucket(context, place, command.role);
    if (context.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
    if (!looked.ok()) {
      if (looked.error().code == ErrorCode::kUsage) return looked;
      return std::vector<CheckResult>{failed_check("connection", looked.error())};
    }
    results = *std::move(looked);
    if (results.size() == 1) return results;  // the store does not answer, and further attempts would take long
  }
  const auto store = open_store(context, place);
  if (!store.ok()) {
    results.push_back(failed_check("repository", store.error()));
    return results;
  }
  const StoredObjects stored = check_stored_objects(**store);
  results.insert(results.end(), stored.checks.begin(), stored.checks.end());
  DRS_ASSIGN_OR_RETURN(const auto key, check_key(context, place, stored.has_repository));
  if (key) results.push_back(*key);
  return results;
}

// The exit code: that of the worst check that is bad.
ExitCode exit_code_of(const std::vector<CheckResult>& results) {
  std::optional<Error> worst;
  for (const CheckResult& result : results) {
    if (result.state != State::kBad) continue;
    const Error error{result.error.value_or(ErrorCode::kUsage), result.detail};
    if (!worst || is_worse(error, *worst)) worst = error;
  }
  return worst ? exit_code_of(*worst) : ExitCode::kOk;
}

// Repeated on stderr, since stdout may go to a program.
void log_what_is_bad(CommandContext& context, const std::vector<CheckResult>& results) {
  std::string unfit;
  for (const CheckResult& result : results)
    if (result.state == State::kBad) unfit += fmt::format("\n  {}: {}", result.name, result.detail);
  if (unfit.empty()) return;
  context.log.error("not fit for backups:{}\n  next step: change what is named above, then run `drstream doctor` again",
                    unfit);
}

Result<ExitCode> run_doctor(CommandContext& context, const DoctorCommand& command) {
  std::vector<CheckResult> results = check_machine(context.options.io, context.options.limits);
  results.push_back({"crypto", State::kGood,
                     std::string(crypto_backend_name(best_crypto_backend())) + " (" + crypto_library_versions() + ")"});
  DRS_ASSIGN_OR_RETURN(const auto memory, check_memory_plan(context.options));
  results.insert(results.end(), memory.begin(), memory.end());
  results.push_back(check_state_directory(context.options.state_dir));
  if (!context.options.repository.empty()) {
    DRS_ASSIGN_OR_RETURN(const auto repository, check_repository(context, command));
    results.insert(results.end(), repository.begin(), repository.end());
  } else {
    DRS_ASSIGN_OR_RETURN(const auto key, check_key(context, {}, false));
    if (key) results.push_back(*key);
  }

  if (context.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
  nlohmann::ordered_json document;
  document["checks"] = nlohmann::ordered_json::array();
  std::string text;
  for (const CheckResult& result : results) {
    document["checks"].push_back(
        {{"name", json_word(result.name)}, {"state", json_word(state_name(result.state))}, {"detail", result.detail}});
    text += fmt::format("{:<7} {:<15} {}\n", state_name(result.state), result.name, result.detail);
  }
  const ExitCode code = exit_code_of(results);
  document["fit"] = code == ExitCode::kOk;
  context.output.document("drstream.doctor/1", static_cast<int>(code), document);
  context.output.text(text + (context.options.repository.empty()
                                  ? "no repository was named: its file system was not looked at\n"
                                  : ""));
  log_what_is_bad(context, results);
  return code;
}

}  // namespace

void add_doctor_command(CommandSet& commands) {
  const auto command = std::make_shared<DoctorCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "doctor", "Check this machine and the store of the repository",
                                       "  drstream doctor\n"
                                       "  drstream doctor -r /var/backups/drs --json\n"
                                       "  drstream doctor -r s3://backups/pg --role writer\n");
  add_choice<std::optional<StoreRole>>(
      *app, "--role", command->role,
      {{"writer", StoreRole::kWriter}, {"sweeper", StoreRole::kSweeper}, {"pruner", StoreRole::kPruner}},
      "The role of these credentials: permissions beyond it or missing for it are then bad (drstream policy)");
  commands.add(
      {app, CommandEffect::kReads, [command](CommandContext& context) { return run_doctor(context, *command); }});
}

}  // namespace drs
