#include "tools/role_needs.h"

namespace drs {
namespace {

constexpr const char* kTriedByDoctor = "doctor/";

}  // namespace

S3PolicyNeeds role_needs(StoreRole role) {
  S3PolicyNeeds needs;
  for (const ObjectRule& rule : object_rules()) {
    if (rule.creators.contains(role)) needs.create.emplace_back(rule.prefix);
    if (rule.lock_extenders.contains(role)) needs.lock.emplace_back(rule.prefix);
  }
  if (role != StoreRole::kSweeper) needs.create.emplace_back(kTriedByDoctor);
  needs.remove = role == StoreRole::kPruner;
  return needs;
}

}  // namespace drs
