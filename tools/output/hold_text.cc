#include "tools/output/hold_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/output/output.h"
#include "tools/output/printable.h"
#include "tools/output/time_text.h"

namespace drs {

std::string hold_text(const HeldSnapshot& held) {
  std::string text = held.until_ns == 0 ? "for ever" : "until " + format_time_local(held.until_ns);
  if (held.unreadable) text += fmt::format(", since a hold of it cannot be read ({})", held.unreadable->message);
  if (!held.reason.empty()) text += ": " + printable_message(held.reason);
  return text;
}

nlohmann::ordered_json hold_json(const HeldSnapshot& held) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  if (held.until_ns != 0) out["until"] = format_time_utc(held.until_ns);
  set_text(out, "reason", held.reason);
  if (held.unreadable) out["problem"] = held.unreadable->message;
  return out;
}

}  // namespace drs
