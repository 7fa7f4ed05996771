// drstream doctor: whether this machine and the repository's file system or object store are fit, and what drstream
// will use.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "codecs/crypto_backend.h"
#include "engine/pipeline/memory_plan.h"
#include "tools/access_check.h"
#include "tools/cloud_check.h"
#include "tools/command.h"
#include "tools/machine_check.h"
#include "tools/open_gcs.h"
#include "tools/open_repository.h"
#include "tools/open_s3.h"
#include "tools/option_builder.h"
#include "tools/size_text.h"

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
  const auto memory_bytes = static_cast<std::size_t>(options.memory_bytes);
  DRS_ASSIGN_OR_RETURN(const PushMemory push, plan_push(memory_bytes, options.thread_count(), CompressionChoice{}));
  DRS_ASSIGN_OR_RETURN(const PullMemory pull, plan_pull(memory_bytes, options.thread_count()));
  const auto state_of = [](const std::string& notice) { return notice.empty() ? State::kGood : State::kNotice; };
  return std::vector<CheckResult>{
      {"push memory", state_of(push.notice),
       with_notice(fmt::format("{}: {} workers, packs of {}, buffers {}, dedup table {}",
                               format_size(options.memory_bytes), push.workers, format_size(push.pack_bytes_target),
                               format_size(push.arena_bytes), format_size(push.index_table_bytes)),
                   push.notice)},
      {"pull memory", state_of(pull.notice),
       with_notice(fmt::format("{}: {} workers, {} decoded blocks, buffers {}", format_size(options.memory_bytes),
                               pull.workers, pull.block_buffers, format_size(pull.arena_bytes)),
                   pull.notice)}};
}

struct DoctorCommand {
  std::optional<StoreRole> role;
};

Result<std::vector<CheckResult>> check_bucket(CommandContext& context, const RepositoryPlace& place,
                                              std::optional<StoreRole> role) {
  if (place.kind == RepositoryPlace::Kind::kGcs) {
    DRS_ASSIGN_OR_RETURN(const auto probe, open_gcs_probe(place, store_surroundings(context)));
    return check_gcs(*probe, context.clock, role);
  }
  DRS_ASSIGN_OR_RETURN(S3Probe probe, open_s3_probe(place, store_surroundings(context)));
  return check_s3(probe, context.clock, role);
}

Result<std::vector<CheckResult>> check_repository(CommandContext& context, const DoctorCommand& command) {
  std::vector<CheckResult> results;
  DRS_ASSIGN_OR_RETURN(const RepositoryPlace place, repository_place(context.options));
  if (place.kind == RepositoryPlace::Kind::kLocal) {
    auto files = open_repository_files(place, context.options);
    if (!files.ok()) {
      if (files.error().code == ErrorCode::kUsage) return std::move(files).error();
      return std::vector<CheckResult>{failed_check("repository", files.error())};
    }
    results = check_file_system(**files);
    if (auto refused = check_permissions(place.name)) results.push_back(*std::move(refused));
  } else {
    auto looked = check_bucket(context, place, command.role);
    if (context.cancel.cancelled()) return Error{ErrorCode::kCancelled, "asked to stop"};
    if (!looked.ok()) {
      if (looked.error().code == ErrorCode::kUsage) return looked;
      return std::vector<CheckResult>{failed_check("connection", looked.error())};
    }
    results = *std::move(looked);
    if (results.size() == 1) return results;  // it does not answer: not even to many attempts, which take long
  }
  const auto store = open_store(context, place);
  if (!store.ok()) {
    results.push_back(failed_check("repository", store.error()));
    return results;
  }
  const auto stored = check_stored_objects(**store);
  results.insert(results.end(), stored.begin(), stored.end());
  return results;
}

// The exit code: that of the worst check. Says on stderr, too, what is not fit.
ExitCode tell_verdict(CommandContext& context, const std::vector<CheckResult>& results) {
  std::optional<Error> worst;
  std::string unfit;
  for (const CheckResult& result : results) {
    if (result.state != State::kBad) continue;
    const Error error{result.error.value_or(ErrorCode::kUsage), result.detail};
    if (!worst || is_worse(error, *worst)) worst = error;
    unfit += fmt::format("\n  {}: {}", result.name, result.detail);
  }
  if (!worst) return ExitCode::kOk;
  context.log.error("not fit for backups:{}\n  next step: change what is named above, then run `drstream doctor` again",
                    unfit);
  return exit_code_of(*worst);
}

Result<ExitCode> run_doctor(CommandContext& context, const DoctorCommand& command) {
  std::vector<CheckResult> results = check_machine(context.options.io);
  results.push_back({"crypto", State::kGood,
                     std::string(crypto_backend_name(best_crypto_backend())) + " (" + crypto_library_versions() + ")"});
  DRS_ASSIGN_OR_RETURN(const auto memory, check_memory_plan(context.options));
  results.insert(results.end(), memory.begin(), memory.end());
  if (!context.options.repository.empty()) {
    DRS_ASSIGN_OR_RETURN(const auto repository, check_repository(context, command));
    results.insert(results.end(), repository.begin(), repository.end());
  }

  if (context.cancel.cancelled()) return Error{ErrorCode::kCancelled, "asked to stop"};
  nlohmann::ordered_json document;
  document["checks"] = nlohmann::ordered_json::array();
  std::string text;
  bool bad = false;
  for (const CheckResult& result : results) {
    bad = bad || result.state == State::kBad;
    document["checks"].push_back(
        {{"name", result.name}, {"state", state_name(result.state)}, {"detail", result.detail}});
    text += fmt::format("{:<7} {:<15} {}\n", state_name(result.state), result.name, result.detail);
  }
  document["fit"] = !bad;
  context.output.document("drstream.doctor/1", document);
  context.output.text(text + (context.options.repository.empty()
                                  ? "no repository was named: its file system was not looked at\n"
                                  : ""));
  return tell_verdict(context, results);
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
      "Whose credentials these are: what they may do beyond it, or may not, is then bad (drstream policy)");
  commands.add({app, CommandEffect::kReads, false,
                [command](CommandContext& context) { return run_doctor(context, *command); }});
}

}  // namespace drs
