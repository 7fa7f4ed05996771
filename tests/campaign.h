// Campaigns: the same tests at full size, divided and seeded by the environment (tests/conftest.py).
#pragma once

#include <cstdint>
#include <cstdlib>

namespace drs::test {

// DRSTREAM_TEST_FULL=1
inline bool is_full_run() {
  return std::getenv("DRSTREAM_TEST_FULL") != nullptr;
}

// DRSTREAM_TEST_SEED=N; else 1.
inline std::uint64_t campaign_seed() {
  const char* const text = std::getenv("DRSTREAM_TEST_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

// DRSTREAM_TEST_PART=I/N: the Ith of N parts, from 1; else the whole.
struct CampaignPart {
  std::uint64_t index = 0;  // from 0
  std::uint64_t parts = 1;
};
inline CampaignPart campaign_part() {
  const char* const text = std::getenv("DRSTREAM_TEST_PART");
  if (text == nullptr) return {};
  char* slash = nullptr;
  const std::uint64_t part = std::strtoull(text, &slash, 10);
  const std::uint64_t parts = *slash == '/' ? std::strtoull(slash + 1, nullptr, 10) : 0;
  if (part < 1 || part > parts) std::abort();  // a mistyped one must not pass as a run
  return {part - 1, parts};
}

}  // namespace drs::test
