#include "engine/pipeline/push/push_gates.h"

#include <array>
#include <cstdio>

#include "engine/format/manifest_texts.h"
#include "io/base/pattern.h"

namespace drs {
namespace {

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g %%", share * 100);
  return text.data();
}

}  // namespace

Result<void> validate(const PushGates& gates) {
  if (gates.trailer_pattern.empty()) return {};
  DRS_RETURN_IF_ERROR(check_trailer_pattern_bytes(gates.trailer_pattern));
  const auto pattern = Pattern::compile(gates.trailer_pattern);
  if (!pattern.ok()) return pattern.error();
  return {};
}

std::vector<std::string> check_gates(const PushGates& gates, std::uint64_t bytes, ByteView tail,
                                     const Snapshot* reference) {
  std::vector<std::string> problems;
  if (bytes == 0 && !gates.allow_empty) problems.push_back("the stream is empty (allow it with --allow-empty)");
  if (gates.bytes_min && bytes < *gates.bytes_min)
    problems.push_back("the stream has " + std::to_string(bytes) + " bytes, fewer than --min-size " +
                       std::to_string(*gates.bytes_min));
  if (reference != nullptr) {
    const auto before = static_cast<double>(reference->manifest.bytes);
    const auto now = static_cast<double>(bytes);
    const std::string compared = std::to_string(bytes) + " bytes against " + std::to_string(reference->manifest.bytes) +
                                 " in snapshot " + reference->id();
    if (gates.shrink_max && now < before * (1 - *gates.shrink_max))
      problems.push_back("the stream shrank by more than --max-shrink " + percent(*gates.shrink_max) + ": " + compared);
    if (gates.growth_max && now > before * (1 + *gates.growth_max))
      problems.push_back("the stream grew by more than --max-growth " + percent(*gates.growth_max) + ": " + compared);
  }
  if (!gates.trailer_pattern.empty()) {
    const auto pattern = Pattern::compile(gates.trailer_pattern);
    if (!pattern.ok() || !pattern->matches_part_of(tail))
      problems.push_back("the last " + std::to_string(tail.size()) + " bytes do not match --require-trailer '" +
                         gates.trailer_pattern + "'");
  }
  return problems;
}

}  // namespace drs
