// Members of a JSON document whose form the reader does not know: what is absent or of another type reads as empty.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

namespace drs {

// Borrowed from `object`; empty if that is no object, or has no such text.
std::string_view text_member(const nlohmann::ordered_json& object, std::string_view name);
std::optional<double> number_member(const nlohmann::ordered_json& object, std::string_view name);
// Borrowed from `object`, or an empty list or object that lives for ever.
const nlohmann::ordered_json& list_member(const nlohmann::ordered_json& object, std::string_view name);
const nlohmann::ordered_json& object_member(const nlohmann::ordered_json& object, std::string_view name);

}  // namespace drs
