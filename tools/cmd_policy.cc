// drstream policy: what to allow the credentials of a store.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sinks/s3/s3_policy.h"
#include "tools/command.h"
#include "tools/object_options.h"
#include "tools/open_s3.h"
#include "tools/option_builder.h"
#include "tools/repository_place.h"
#include "tools/role_needs.h"

namespace drs {
namespace {

struct PolicyCommand {
  StoreRole role = StoreRole::kWriter;
  bool create_only = false;
  std::string principal;
};

// Without a repository: names to be replaced by hand.
constexpr std::string_view kPlaceholderBucket = "BUCKET";
constexpr std::string_view kPlaceholderPrefix = "PREFIX/";

Result<ExitCode> run_policy_s3(CommandContext& context, const PolicyCommand& command) {
  BucketLocation location{std::string(kPlaceholderBucket), std::string(kPlaceholderPrefix)};
  S3PolicyOptions options;
  CloudOptions cloud = context.options.cloud;
  if (!context.options.repository.empty()) {
    DRS_ASSIGN_OR_RETURN(const RepositoryPlace place, repository_place(context.options));
    if (place.kind != RepositoryPlace::Kind::kS3)
      return Error{ErrorCode::kUsage, fmt::format("{} is not in S3: name the repository as s3://bucket/prefix, or none "
                                                  "for a policy with names to replace",
                                                  place.name)};
    DRS_ASSIGN_OR_RETURN(location, parse_s3_location(place.name));
    cloud = place.cloud;
  }
  DRS_ASSIGN_OR_RETURN(options.put, s3_put_options(cloud));
  DRS_ASSIGN_OR_RETURN(options.region, s3_region(cloud, context.cancel));
  options.create_only = command.create_only;
  options.principal = command.principal;
  const nlohmann::ordered_json policy = s3_policy(location, role_needs(command.role), options);
  context.output.document("drstream.policy/1", {{"policy", policy}});
  context.output.text(json_text(policy, 2) + "\n");
  return ExitCode::kOk;
}

}  // namespace

void add_policy_commands(CommandSet& commands) {
  CLI::App* const policy =
      add_subcommand(commands.root(), "policy", "Print what to allow the credentials of an object store", "");
  policy->require_subcommand(0, 1);
  const auto command = std::make_shared<PolicyCommand>();
  CLI::App* const s3 = add_subcommand(
      *policy, "s3", "Print the smallest policy of S3 or MinIO for a role",
      "  drstream policy s3 --role writer -r s3://backups/pg > writer.json\n"
      "  drstream policy s3 --role writer -r s3://backups/pg --lock-days 30 --create-only\n"
      "  drstream policy s3 --role sweeper -r s3://backups/pg --principal arn:aws:iam::123456789012:role/sweep\n");
  add_choice<StoreRole>(
      *s3, "--role", command->role,
      {{"writer", StoreRole::kWriter}, {"sweeper", StoreRole::kSweeper}, {"pruner", StoreRole::kPruner}},
      "Who it is for: writer creates and reads (default), sweeper reads and marks damage, pruner "
      "removes too");
  add_flag(*s3, "--create-only", command->create_only,
           "Also refuse every put that could replace an object; AWS S3 knows this condition, MinIO does not");
  add_text(*s3, "--principal", command->principal, "ARN",
           "Make it a policy of the bucket for this user or role (default: a policy of the user or role itself)");
  commands.add({s3, CommandEffect::kReads, false,
                [command](CommandContext& context) { return run_policy_s3(context, *command); }});
}

}  // namespace drs
