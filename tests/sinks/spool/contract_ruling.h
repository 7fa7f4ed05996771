// The rule of a spool for the names that tests of stores use.
#pragma once

#include <string_view>

#include "sinks/spool/spool_rule.h"

namespace drs::test {

// Spools the names that always mean the same bytes. Other names of the tests may be taken, so they bypass the spool.
inline SpoolRuling contract_ruling(std::string_view key) {
  SpoolRuling ruling;
  if (key.starts_with("packs/") || key.starts_with("many/") || key.starts_with("sizes/"))
    ruling.role = SpoolRole::kAnyOrder;
  if (key.starts_with("index/") || key.starts_with("chain/")) ruling.role = SpoolRole::kInOrder;
  if (key.starts_with("manifests/")) ruling.role = SpoolRole::kCommit;
  return ruling;
}

}  // namespace drs::test
