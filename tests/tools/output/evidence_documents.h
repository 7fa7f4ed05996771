// Documents for the tests of the forms of evidence.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/output/evidence.h"

namespace drs {

inline RunFacts facts_of(const std::string& command, int exit_status) {
  RunFacts facts;
  facts.command = command;
  facts.exit_status = exit_status;
  facts.repository = "s3://bucket/pg";
  facts.host = "db1";
  facts.version = "drstream 0.1.0";
  facts.libraries = {{"zstd", "1.5.4"}};
  facts.begun_ns = 1'800'000'000'000'000'000;
  facts.ended_ns = facts.begun_ns + 2'500'000'000;
  return facts;
}

inline nlohmann::ordered_json stream_of(const std::string& name, const std::string& status, double age_seconds = 60) {
  nlohmann::ordered_json stream = {{"stream", name},
                                   {"status", status},
                                   {"snapshot_count", 2},
                                   {"unreadable_count", 0},
                                   {"bytes", 2048U},
                                   {"age_seconds", age_seconds},
                                   {"newest_within_seconds", 90000.0}};
  stream["problems"] = nlohmann::ordered_json::array();
  if (status != "ok") stream["problems"].push_back("it is " + status);
  stream["size_history"] = nlohmann::ordered_json::array({{{"id", std::string(32, 'a')},
                                                           {"time", "2026-11-20T01:00:05.000000000Z"},
                                                           {"bytes", 1024U},
                                                           {"stored_bytes", 512U}},
                                                          {{"id", std::string(32, 'b')},
                                                           {"time", "2026-11-21T01:00:05.000000000Z"},
                                                           {"bytes", 2048U},
                                                           {"stored_bytes", 0U}}});
  return stream;
}

inline nlohmann::ordered_json status_of(int exit_code, const nlohmann::ordered_json& streams) {
  return {{"schema", "drstream.status/1"},
          {"exit_code", exit_code},
          {"streams", streams},
          {"packs_marked", 0},
          {"warnings", nlohmann::ordered_json::array()}};
}

inline nlohmann::ordered_json failure_of(int exit_code, const std::string& message) {
  return {{"command", "push"},
          {"code", "source"},
          {"exit_code", exit_code},
          {"message", message},
          {"consequence", "no snapshot was made"},
          {"next_step", "repair the producer"}};
}

}  // namespace drs
