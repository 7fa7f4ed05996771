// A hold for people and as JSON: the same in list, show, hold, push and unforget.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/repository/holds.h"

namespace drs {

// "for ever: migration", "until 2027-01-01 00:00:00 +01:00".
std::string hold_text(const HeldSnapshot& held);
nlohmann::ordered_json hold_json(const HeldSnapshot& held);

}  // namespace drs
