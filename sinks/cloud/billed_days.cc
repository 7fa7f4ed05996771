#include "sinks/cloud/billed_days.h"

#include <algorithm>
#include <array>

namespace drs {
namespace {

struct BilledClass {
  std::string_view name;
  std::uint16_t days;
};
constexpr std::array<BilledClass, 8> kBilledClasses = {{
    {"STANDARD_IA", 30},
    {"ONEZONE_IA", 30},
    {"GLACIER_IR", 90},
    {"GLACIER", 90},
    {"DEEP_ARCHIVE", 180},
    {"NEARLINE", 30},
    {"COLDLINE", 90},
    {"ARCHIVE", 365},
}};

}  // namespace

std::uint16_t billed_days_of(std::string_view storage_class) {
  const auto found = std::ranges::find(kBilledClasses, storage_class, &BilledClass::name);
  return found == kBilledClasses.end() ? 0 : found->days;
}

}  // namespace drs
