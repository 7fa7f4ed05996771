#include "engine/repository/listed_again.h"

#include <utility>

namespace drs {

Error listed_but_absent() {
  return {ErrorCode::kCorrupt, "is listed, but the store does not find it"};
}

Result<std::unordered_set<std::string>> still_listed(ObjectStore& store, std::span<const std::string> names) {
  const std::unordered_set<std::string> wanted(names.begin(), names.end());
  std::unordered_set<std::string> folders;
  for (const std::string& name : wanted) folders.insert(name.substr(0, name.rfind('/') + 1));
  std::unordered_set<std::string> listed;
  for (const std::string& folder : folders) {
    DRS_RETURN_IF_ERROR(store.list(folder, [&](const ObjectInfo& info) -> Result<void> {
      if (wanted.contains(info.key)) listed.insert(info.key);
      return {};
    }));
  }
  return listed;
}

bool ListingRounds::is_absent_again(const std::string& name) {
  absent_.insert(name);
  const bool again = absent_before_.contains(name);
  another_ = another_ || !again;
  return again;
}

bool ListingRounds::next() {
  absent_before_ = std::exchange(absent_, {});
  return std::exchange(another_, false);
}

}  // namespace drs
