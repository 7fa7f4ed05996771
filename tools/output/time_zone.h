// The zone of local time, in which times are printed and in which the rules of a retention count days.
#pragma once

#include <string>

#include "io/base/result.h"

namespace drs {

// Makes the zone with this IANA name, such as "Europe/Bucharest", that of the whole process: sets TZ. To be called
// before other threads read the environment. Errors: kUsage (not a name; /usr/share/zoneinfo does not have it).
Result<void> use_time_zone(const std::string& name);

}  // namespace drs
