// The fields of a JSON document as HTML: figures for its values, lists for its texts, tables for its objects. Rows that
// say what is wrong stand first. What a page does not show is in the JSON form; the page says so. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace drs {

// Rows of a table; the others are counted.
inline constexpr std::size_t kTableRowsMax = 2000;
// Entries of a list, such as warnings.
inline constexpr std::size_t kListEntriesMax = 200;

// Sections for all members but "schema" and "exit_code". `title`: of the first, which holds the plain values.
std::string document_html(const std::string& title, const nlohmann::ordered_json& document);

}  // namespace drs
