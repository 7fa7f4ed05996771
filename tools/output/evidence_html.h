// Evidence as a page for people and auditors: one file of HTML without scripts and without anything to load, for the
// screen and for A4. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace drs {

// `evidence`: a document of the schema drstream.report/1, whose texts may hold any bytes.
std::string evidence_html(const nlohmann::ordered_json& evidence);

}  // namespace drs
