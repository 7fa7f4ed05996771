// The members of JSON documents as a person reads them on a page of evidence: titles of fields, and values in the units
// that the names of fields end in. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace drs {

// "Packs read" of "packs_read"; "Age" of "age_seconds".
std::string field_title(std::string_view name);

// "1.5 MiB" for a member whose name ends in bytes, "3 min 05 s" of seconds, "7.3 %" of ratio, "2026-11-20 02:00:05 UTC"
// for a time; "yes"; "1,234". A list: its texts, or of each object the first text. Neither escaped nor made printable.
std::string field_text(std::string_view name, const nlohmann::ordered_json& value);

// Whether the column of such a member stands at the right.
bool is_quantity(const nlohmann::ordered_json& value);
bool is_time(const nlohmann::ordered_json& value);
// Whether the value is an id, a digest, or a name that ends in one.
bool is_identifier(const nlohmann::ordered_json& value);

}  // namespace drs
