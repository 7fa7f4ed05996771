// Reads JSON answers of services, with nlohmann-json. Internal to sinks.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/bytes.h"

namespace drs {

// The document as an object; none if it is not one. Never throws.
std::optional<nlohmann::json> read_json_object(ByteView json);

// A non-empty string member, or null. `object` may be any JSON value.
const std::string* json_text(const nlohmann::json& object, const char* name);
// A copy of the same member; `otherwise` if it is absent.
std::string json_text_or(const nlohmann::json& object, const char* name, std::string_view otherwise = {});
// A member that is an object or array, or null.
const nlohmann::json* json_part(const nlohmann::json& object, const char* name);

// Copies a string member and wipes it in the document; empty if it is absent. A copy in the buffer of the parser cannot
// be wiped.
SecretBytes take_json_secret(nlohmann::json& object, const char* name);

}  // namespace drs
