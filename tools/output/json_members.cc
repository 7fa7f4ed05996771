#include "tools/output/json_members.h"

#include <nlohmann/json.hpp>
#include <string>

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

// nullptr: there is none.
const Json* find_member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(name));
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string_view text_member(const Json& object, std::string_view name) {
  const Json* const member = find_member(object, name);
  return member != nullptr && member->is_string() ? std::string_view(member->get_ref<const std::string&>())
                                                  : std::string_view();
}

std::optional<double> number_member(const Json& object, std::string_view name) {
  const Json* const member = find_member(object, name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  return member->get<double>();
}

const Json& list_member(const Json& object, std::string_view name) {
  static const Json kNone = Json::array();
  const Json* const member = find_member(object, name);
  return member != nullptr && member->is_array() ? *member : kNone;
}

const Json& object_member(const Json& object, std::string_view name) {
  static const Json kNone = Json::object();
  const Json* const member = find_member(object, name);
  return member != nullptr && member->is_object() ? *member : kNone;
}

}  // namespace drs
