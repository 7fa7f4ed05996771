#include "sinks/object_store.h"

#include <algorithm>

#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::size_t kKeyBytesMax = 200;

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
}

bool is_key_part(std::string_view part) {
  return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), is_key_character);
}

}  // namespace

bool is_valid_object_key(std::string_view key) {
  if (key.empty() || key.size() > kKeyBytesMax) return false;
  while (true) {
    const std::size_t slash = key.find('/');
    if (!is_key_part(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

bool is_valid_object_prefix(std::string_view prefix) {
  return prefix.empty() || (prefix.back() == '/' && is_valid_object_key(prefix.substr(0, prefix.size() - 1)));
}

Result<void> check_object_prefix(std::string_view prefix) {
  if (is_valid_object_prefix(prefix)) return {};
  return Error(ErrorCode::kUsage, "not a prefix of object keys: \"" + std::string(prefix) + "\"");
}

Result<void> remove_each(ObjectStore& store, std::span<const ObjectKey> keys) {
  for (const ObjectKey& key : keys) {
    auto removed = store.remove(key);
    if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return {};
}

Error vanished(const ObjectStore& store, const ObjectKey& key) {
  return Error(ErrorCode::kIo, store.name_for_messages() + "/" + key +
                                   " has vanished since it was listed, and what was to be stored relies on it; run "
                                   "`drstream verify`, then the same command again");
}

}  // namespace drs
