#include "tools/output/nagios_answer.h"

#include <algorithm>
#include <utility>

#include "tools/output/printable.h"

namespace drs {

NagiosAnswer nagios_answer(const Error& error) {
  std::string line = "DRSTREAM UNKNOWN - " + printable_value(error.message);
  std::ranges::replace(line, '|', '/');  // which begins the figures
  return {std::move(line), 3};
}

}  // namespace drs
