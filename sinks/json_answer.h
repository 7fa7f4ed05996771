// What a service answers in JSON, read with nlohmann-json. Internal to sinks.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "io/bytes.h"

namespace drs {

// The object that the document is; none for anything else. Never throws.
std::optional<nlohmann::json> read_json_object(ByteView json);

// A non-empty string member, or null. `object` may be anything.
const std::string* json_text(const nlohmann::json& object, const char* name);
// A member that is an object or array, else null.
const nlohmann::json* json_part(const nlohmann::json& object, const char* name);

// Copies a string member and wipes it in the document; empty where it is absent. A copy in the parser's own buffer is
// beyond reach.
SecretBytes take_json_secret(nlohmann::json& object, const char* name);

}  // namespace drs
