// Evidence as JUnit XML, in the form that Jenkins and GitLab read: one suite for the command, a case for each stream,
// finding, repository or snapshot that it judged. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace drs {

// Cases of one suite; the findings beyond them are counted in a last one.
inline constexpr std::size_t kJunitCasesMax = 10'000;

// `evidence`: a document of the schema drstream.report/1, whose texts may hold any bytes.
std::string evidence_junit(const nlohmann::ordered_json& evidence);

}  // namespace drs
