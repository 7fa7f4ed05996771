#include "sinks/cloud/s3/s3_policy.h"

#include <nlohmann/json.hpp>

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

std::string partition(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

// '*', '?' and '$' have a meaning in a policy.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '*' || c == '?' || c == '$';
    out += special ? std::string("${") + c + "}" : std::string(1, c);
  }
  return out;
}

struct KmsKey {
  std::string resource;
  std::string alias;  // empty: the resource names the key
};

// An id, an alias or the ARN of either. As a resource, the ARN of an alias would stand for the alias and never for its
// key: a key that is known by its alias is allowed by a condition, which holds for reads as well, where S3 names the
// key itself.
// https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
KmsKey kms_key(const std::string& id, const std::string& partition) {
  constexpr std::string_view kAlias = "alias/";
  const std::size_t begin = id.starts_with("arn:") ? id.rfind(':') + 1 : 0;
  const std::string place = begin > 0 ? id.substr(0, begin) : "arn:" + partition + ":kms:*:*:";
  const std::string name = id.substr(begin);
  if (name.starts_with(kAlias)) return {place + "key/*", literal(name)};
  return {begin > 0 ? id : place + "key/" + literal(name), ""};
}

class Policy {
 public:
  Policy(const BucketLocation& location, const S3PolicyOptions& options)
      : principal_(options.principal),
        bucket_("arn:" + partition(options.region) + ":s3:::" + location.bucket),
        prefix_(literal(location.prefix)) {}

  // A statement for the bucket itself.
  Json& about_bucket(const char* name, const std::vector<std::string>& actions) { return add(name, actions, bucket_); }
  // A statement for all objects of these parts, or of the whole repository if there are none.
  Json& about_objects(const char* name, const std::vector<std::string>& actions,
                      const std::vector<std::string>& parts) {
    Json resources = Json::array();
    for (const std::string& part : parts) resources.push_back(bucket_ + "/" + prefix_ + part + "*");
    return add(name, actions, parts.empty() ? Json(bucket_ + "/" + prefix_ + "*") : resources);
  }
  Json& add(const char* name, const std::vector<std::string>& actions, const Json& resource) {
    Json statement;
    statement["Sid"] = name;
    statement["Effect"] = "Allow";
    if (!principal_.empty()) statement["Principal"]["AWS"] = principal_;
    statement["Action"] = actions;
    statement["Resource"] = resource;
    return statements_.emplace_back(std::move(statement));
  }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] Json take() { return {{"Version", "2012-10-17"}, {"Statement", std::move(statements_)}}; }

 private:
  const std::string principal_;
  const std::string bucket_;
  const std::string prefix_;
  Json statements_ = Json::array();
};

}  // namespace

Json s3_policy(const BucketLocation& location, const S3PolicyNeeds& needs, const S3PolicyOptions& options) {
  Policy policy(location, options);
  Json& list = policy.about_bucket("ListRepository", {"s3:ListBucket"});
  if (!location.prefix.empty()) list["Condition"]["StringLike"]["s3:prefix"] = policy.prefix() + "*";
  policy.about_bucket("SeeSettings", {"s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"});

  const bool locks = options.put.lock && !needs.lock.empty();
  std::vector<std::string> reading = {"s3:GetObject"};
  if (locks) reading.emplace_back("s3:GetObjectRetention");
  policy.about_objects("ReadObjects", reading, {});

  if (!needs.create.empty()) {
    std::vector<std::string> creating = {"s3:PutObject"};
    Json& create = policy.about_objects("CreateObjects", creating, needs.create);
    if (options.create_only) create["Condition"]["Null"]["s3:if-none-match"] = "false";
    if (!options.put.tags.empty()) policy.about_objects("TagObjects", {"s3:PutObjectTagging"}, needs.create);
  }
  if (locks) {
    const S3Lock& lock = *options.put.lock;
    Json& extend = policy.about_objects("LockObjects", {"s3:PutObjectRetention"}, needs.lock);
    extend["Condition"]["StringEquals"]["s3:object-lock-mode"] = lock_mode_name(lock.mode);
    // No longer than drstream locks: stolen credentials must not make the owner pay for a century. One more day allows
    // for clocks that differ. The policy denies this instead of not allowing it, since MinIO sends the number of days
    // only when a lock is extended.
    const auto days_max = (lock.days + lock.slack()).count() + 1;
    Json& deny = policy.about_objects("LockNoLonger", {"s3:PutObjectRetention"}, needs.lock);
    deny["Effect"] = "Deny";
    deny["Condition"]["NumericGreaterThan"]["s3:object-lock-remaining-retention-days"] = std::to_string(days_max);
  }
  if (!needs.remove.empty()) policy.about_objects("RemoveObjects", {"s3:DeleteObject"}, needs.remove);
  if (!options.put.kms_key_id.empty()) {
    const KmsKey key = kms_key(options.put.kms_key_id, partition(options.region));
    Json& use = policy.add("UseKey", {"kms:GenerateDataKey", "kms:Decrypt"}, key.resource);
    if (!key.alias.empty()) use["Condition"]["ForAnyValue:StringEquals"]["kms:ResourceAliases"] = key.alias;
  }
  return policy.take();
}

}  // namespace drs
