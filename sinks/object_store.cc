#include "sinks/object_store.h"

#include <algorithm>

namespace drs {
namespace {

constexpr std::size_t kKeyBytesMax = 200;

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
}

bool is_key_part(std::string_view part) {
  return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), is_key_character);
}

// Runs the store until `finished` is set. An error of `run` means that the store ended every operation first.
Result<void> run_until(ObjectStore& store, const bool& finished) {
  while (!finished) {
    DRS_ASSERT(store.in_flight() > 0, "a store lost an operation");
    DRS_RETURN_IF_ERROR(store.run(true));
  }
  return {};
}

// Reads one range into `destination`; fewer bytes only where the object ends.
Result<std::size_t> get_up_to(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                              MutableByteView destination) {
  bool finished = false;
  GetOperation operation{.key = key,
                         .offset_bytes = offset_bytes,
                         .destination = destination,
                         .done = [](GetOperation& get) { *static_cast<bool*>(get.owner) = true; },
                         .owner = &finished};
  store.get(operation);
  DRS_RETURN_IF_ERROR(run_until(store, finished));
  return std::move(operation.result);
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

Result<void> put_object(ObjectStore& store, const ObjectKey& key, ByteView body) {
  if (!is_valid_object_key(key)) return Error{ErrorCode::kUsage, "not an object key: \"" + key + "\""};
  bool finished = false;
  PutOperation operation{.key = key,
                         .body = {body},
                         .sha256 = {},
                         .result = {},
                         .done = [](PutOperation& put) { *static_cast<bool*>(put.owner) = true; },
                         .owner = &finished};
  store.put(operation);
  DRS_RETURN_IF_ERROR(run_until(store, finished));
  return std::move(operation.result);
}

Result<Bytes> get_object(ObjectStore& store, const ObjectKey& key, std::size_t size_bytes_max) {
  DRS_ASSIGN_OR_RETURN(const ObjectInfo info, store.stat(key));
  if (info.size_bytes > size_bytes_max) {
    return Error{ErrorCode::kCorrupt, store.name_for_messages() + "/" + key + " has " +
                                          std::to_string(info.size_bytes) + " bytes, more than the " +
                                          std::to_string(size_bytes_max) + " that such an object can have"};
  }
  Bytes bytes(static_cast<std::size_t>(info.size_bytes));
  DRS_RETURN_IF_ERROR(get_range(store, key, 0, bytes));
  return bytes;
}

Result<void> get_range(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                       MutableByteView destination) {
  DRS_ASSIGN_OR_RETURN(const std::size_t delivered, get_up_to(store, key, offset_bytes, destination));
  if (delivered < destination.size()) {
    return Error{ErrorCode::kTruncated, store.name_for_messages() + "/" + key + " ends early: wanted " +
                                            std::to_string(destination.size()) + " bytes from " +
                                            std::to_string(offset_bytes) + ", got " + std::to_string(delivered)};
  }
  return {};
}

}  // namespace drs
