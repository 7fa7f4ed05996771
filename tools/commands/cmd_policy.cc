// drstream policy: what to allow the credentials of a store.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/format/object_rules.h"
#include "sinks/cloud/s3/s3_policy.h"
#include "tools/cli/child_command.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/repository/cloud_options.h"
#include "tools/repository/open_cloud.h"
#include "tools/repository/repository_location.h"

namespace drs {
namespace {

struct PolicyCommand {
  StoreRole role = StoreRole::kWriter;
  bool create_only = false;
  std::string principal;
};

// Placeholders without a repository, to be replaced by hand.
constexpr std::string_view kPlaceholderBucket = "BUCKET";
constexpr std::string_view kPlaceholderPrefix = "PREFIX/";
constexpr const char* kTriedByDoctor = "doctor/";

// What each role does to objects: which parts of a repository its commands create, lock and remove (docs/FORMAT.md,
// "Objects").
S3PolicyNeeds role_needs(StoreRole role) {
  S3PolicyNeeds needs;
  for (const ObjectRule& rule : object_rules()) {
    if (rule.creators.contains(role)) needs.create.emplace_back(rule.prefix);
    if (rule.removers.contains(role)) needs.remove.emplace_back(rule.prefix);
    if (rule.lock_extenders.contains(role)) needs.lock.emplace_back(rule.prefix);
  }
  if (role != StoreRole::kSweeper) needs.create.emplace_back(kTriedByDoctor);
  if (role == StoreRole::kPruner) needs.remove.emplace_back(kTriedByDoctor);
  return needs;
}

Result<ExitCode> run_policy_s3(CommandContext& context, const PolicyCommand& command) {
  BucketLocation location{std::string(kPlaceholderBucket), std::string(kPlaceholderPrefix)};
  S3PolicyOptions options;
  CloudOptions cloud = context.options.cloud;
  if (!context.options.repository.empty()) {
    DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
    if (place.kind != RepositoryLocation::Kind::kS3)
      return Error(ErrorCode::kUsage, fmt::format("{} is not in S3: name the repository as s3://bucket/prefix, or none "
                                                  "for a policy with names to replace",
                                                  place.name));
    DRS_ASSIGN_OR_RETURN(location, parse_s3_location(place.name));
    cloud = place.cloud;
  }
  DRS_ASSIGN_OR_RETURN(options.put, s3_put_options(cloud));
  DRS_ASSIGN_OR_RETURN(options.region, s3_region(cloud, context.cancel));
  options.create_only = command.create_only;
  options.principal = command.principal;
  const nlohmann::ordered_json policy = s3_policy(location, role_needs(command.role), options);
  context.output.document("drstream.policy-s3/1", {{"policy", policy}});
  context.output.text(dump_json(policy, JsonLayout::kIndented) + "\n");
  return ExitCode::kOk;
}

enum class KafkaRole { kArchive, kRestore };

struct KafkaPolicyCommand {
  KafkaRole role = KafkaRole::kArchive;
  std::string principal = "User:drstream";
};

// One access rule of Kafka. A resource of another kind than the cluster has any name; the operator narrows it.
struct KafkaAcl {
  std::string_view resource;  // "topic", "group", "cluster"
  std::string_view operation;
  std::string_view reason;
};

// The least that the clients need (sinks/kafka/).
std::vector<KafkaAcl> kafka_acls(KafkaRole role) {
  if (role == KafkaRole::kArchive)
    return {{"topic", "Describe", "names, partitions, ends"},
            {"topic", "DescribeConfigs", "configurations"},
            {"topic", "Read", "records"},
            {"group", "Describe", "offsets of consumer groups"},
            {"cluster", "Describe", "the list of groups"}};
  return {{"topic", "Create", "topics that are not there"},
          {"topic", "Describe", "names, partitions, ends"},
          {"topic", "DescribeConfigs", "configurations"},
          {"topic", "AlterConfigs", "the true configurations, set last"},
          {"topic", "Write", "records"},
          {"topic", "Read", "the proof, and offsets of groups"},
          {"group", "Describe", "offsets of consumer groups"},
          {"group", "Read", "setting them (drstream kafka offsets)"},
          {"group", "Delete", "taking them away (drstream kafka offsets --undo)"}};
}

Result<ExitCode> run_policy_kafka(CommandContext& context, const KafkaPolicyCommand& command) {
  nlohmann::ordered_json acls = nlohmann::ordered_json::array();
  std::string text;
  for (const KafkaAcl& acl : kafka_acls(command.role)) {
    acls.push_back({{"resource", acl.resource}, {"operation", acl.operation}, {"reason", acl.reason}});
    const std::string resource =
        acl.resource == "cluster" ? std::string("--cluster") : fmt::format("--{} '*'", acl.resource);
    text +=
        fmt::format("kafka-acls.sh --bootstrap-server HOST:PORT --add --allow-principal {} --operation {} {}  # {}\n",
                    shell_word(command.principal), acl.operation, resource, acl.reason);
  }
  context.output.document("drstream.policy-kafka/1", {{"principal", command.principal}, {"acls", acls}});
  context.output.text(text);
  return ExitCode::kOk;
}

}  // namespace

void add_policy_commands(CommandSet& commands) {
  CLI::App* const policy = add_subcommand(commands.root(), "policy",
                                          "Print the least rights for the credentials of a store, or of Kafka", "");
  policy->require_subcommand(0, 1);
  const auto command = std::make_shared<PolicyCommand>();
  CLI::App* const s3 = add_subcommand(*policy, "s3", "Print the smallest policy of S3 or MinIO for a role",
                                      "  drstream policy s3 --role writer -r s3://backups/pg > writer.json\n"
                                      "  drstream policy s3 --role writer -r s3://backups/pg --lock-days 30 \\\n"
                                      "    --create-only\n"
                                      "  drstream policy s3 --role sweeper -r s3://backups/pg \\\n"
                                      "    --principal arn:aws:iam::123456789012:role/sweep\n");
  add_choice<StoreRole>(
      *s3, "--role", command->role,
      {{"writer", StoreRole::kWriter}, {"sweeper", StoreRole::kSweeper}, {"pruner", StoreRole::kPruner}},
      "The role: writer creates and reads (default), sweeper reads and marks damage, pruner also removes");
  add_flag(*s3, "--create-only", command->create_only,
           "Also refuse every put that could replace an object; AWS S3 supports this condition, MinIO does not");
  add_text(*s3, "--principal", command->principal, "ARN",
           "Make it a policy of the bucket for this user or role (default: a policy of the user or role itself)");
  commands.add(
      {s3, CommandEffect::kReads, [command](CommandContext& context) { return run_policy_s3(context, *command); }});
  const auto kafka_command = std::make_shared<KafkaPolicyCommand>();
  CLI::App* const kafka = add_subcommand(*policy, "kafka", "Print the fewest access rules of Kafka for a role",
                                         "  drstream policy kafka --role archive\n"
                                         "  drstream policy kafka --role restore --principal User:backup\n");
  add_choice<KafkaRole>(*kafka, "--role", kafka_command->role,
                        {{"archive", KafkaRole::kArchive}, {"restore", KafkaRole::kRestore}},
                        "The role: archive reads (default); restore creates, writes, compares and moves groups");
  add_text(*kafka, "--principal", kafka_command->principal, "PRINCIPAL", "Whom to allow (default User:drstream)");
  commands.add({kafka, CommandEffect::kReads,
                [kafka_command](CommandContext& context) { return run_policy_kafka(context, *kafka_command); }});
}

}  // namespace drs
