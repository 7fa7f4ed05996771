// What a spool does with an object, by its name. A spool knows no names: whoever makes it brings the rule.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "io/bytes.h"

namespace drs {

enum class SpoolRole : std::uint8_t {
  kThrough,   // not spooled: straight to the store
  kAnyOrder,  // done once it is durable in the spool; uploaded beside others
  kInOrder,   // the same, but uploaded only after everything that was spooled before it
  kCommit,    // recorded in the spool, uploaded after everything else, and done only once it is in the store
};

struct SpoolRuling {
  SpoolRole role = SpoolRole::kThrough;
  // Of the object, where its name says it. Such a name always means the same bytes: that it is taken is a success.
  std::optional<Digest> sha256;
};

using SpoolRule = std::function<SpoolRuling(std::string_view key)>;

}  // namespace drs
