// What `drstream status` makes of a repository: the status of each stream, and of the whole. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/stream_state.h"
#include "tools/config/expectation.h"
#include "tools/output/exit_code.h"

namespace drs {

// From the best to the worst, but for kIgnored: such a stream is not judged.
enum class StreamStatus : std::uint8_t { kIgnored, kOk, kChanged, kLate, kAbsent, kLost, kDamaged };
std::string_view status_word(StreamStatus status);  // "ok", "late"

// Sizes of good snapshots that follow each other differ by more than these: worth a look, and no failure.
inline constexpr double kShrunkBy = 0.10;
inline constexpr double kGrownBy = 0.50;

struct StreamVerdict {
  StreamState state;
  StreamStatus status = StreamStatus::kOk;
  std::optional<std::chrono::milliseconds> limit;  // of the age
  std::chrono::milliseconds age{0};                // of the newest good snapshot, if there is one
  std::optional<double> change;                    // of its size against the one before: -0.1 is 10 % less
  std::vector<std::string> problems;               // for people
};

struct StatusLimits {
  std::optional<std::chrono::milliseconds> newest_within;  // for every stream that is not ignored
  std::span<const Expectation> expectations;               // the first that matches a stream counts
};

// The streams that were seen, and those that are expected and not there. By name. `lost`: streams that miss snapshots
// which were seen before, and how many.
struct LostStream {
  std::string stream;
  std::size_t snapshots = 0;
};
std::vector<StreamVerdict> judge_streams(std::vector<StreamState> states, std::span<const LostStream> lost,
                                         const StatusLimits& limits, WallNs now_ns);

// kDamage, kRollback, kLimitMissed or kOk: the worst decides. `damaged_packs`: that marks name.
ExitCode judge(std::span<const StreamVerdict> streams, std::size_t damaged_packs);

}  // namespace drs
