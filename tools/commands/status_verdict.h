// What `drstream status` makes of a repository: the status of each stream, and of the whole. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/repository/evidence.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/stream_state.h"
#include "tools/config/expectation.h"
#include "tools/output/exit_code.h"

namespace drs {

// From the best to the worst, but for kIgnored: such a stream is not judged.
enum class StreamStatus : std::uint8_t { kIgnored, kOk, kChanged, kUnproven, kLate, kAbsent, kLost, kDamaged };
std::string_view status_word(StreamStatus status);  // "ok", "late"

// Sizes of good snapshots that follow each other differ by more than these: worth a look, and no failure.
inline constexpr double kShrunkBy = 0.10;
inline constexpr double kGrownBy = 0.50;

struct StreamVerdict {
  StreamState state;
  StreamStatus status = StreamStatus::kOk;
  std::optional<std::chrono::milliseconds> limit;        // of the age
  std::chrono::milliseconds age{0};                      // of the newest good snapshot, if there is one
  std::optional<std::chrono::milliseconds> rebuilt_age;  // since a snapshot of it was last rebuilt well
  std::optional<std::chrono::milliseconds> proof_limit;  // of the age of its proof
  std::optional<double> change;                          // of its size against the one before: -0.1 is 10 % less
  bool is_unproven = false;           // its proof is too old, or a rebuild failed: also where something worse holds
  std::vector<std::string> problems;  // for people
};

struct StatusLimits {
  // For every stream that is not ignored.
  std::optional<std::chrono::milliseconds> newest_within, verified_within;
  std::span<const Expectation> expectations;  // the first that matches a stream counts
};

// What sweeps have proven of a repository.
class StatusProof {
 public:
  // `packs`: sorted by name.
  StatusProof(Evidence evidence, std::vector<PackInfo> packs, WallNs now_ns)
      : evidence_(std::move(evidence)), packs_(std::move(packs)), proofs_(evidence_.of(packs_)), now_ns_(now_ns) {}
  [[nodiscard]] const Evidence& evidence() const { return evidence_; }
  // Of what was proven within this time.
  [[nodiscard]] Coverage coverage(std::chrono::milliseconds within) const;
  // Whether every pack of today was read and decoded after this time, and a sweep found later that nothing is missing.
  [[nodiscard]] bool is_whole_since(WallNs then_ns) const;
  [[nodiscard]] bool something_is_missing() const { return evidence_.structure_failed_ns() != 0; }

 private:
  Evidence evidence_;
  std::vector<PackInfo> packs_;
  std::vector<PackProof> proofs_;
  WallNs now_ns_;
};

// The streams that were seen, and those that are expected and not there. By name. `lost`: streams that miss snapshots
// which were seen before, and how many.
struct LostStream {
  std::string stream;
  std::size_t snapshots = 0;
};
std::vector<StreamVerdict> judge_streams(std::vector<StreamState> states, std::span<const LostStream> lost,
                                         const StatusLimits& limits, WallNs now_ns);
// Adds what sweeps say about them. A stream is proven if a snapshot of it was rebuilt well within its limit, or if all
// packs that are older than that were read and found intact within it. A rebuild that failed is damage until a later
// one of that snapshot is good; it is only unproven once the repository is whole since then (`is_whole_since`), because
// what was damaged may have been healed.
void judge_proofs(std::vector<StreamVerdict>& streams, const SnapshotCatalog& catalog, const StatusProof& proof,
                  const StatusLimits& limits, WallNs now_ns);

// What is wrong with the repository, and not with one stream of it.
struct RepositoryFaults {
  std::size_t damaged_packs = 0;   // that marks name, or that a sweep found damaged
  WallNs structure_failed_ns = 0;  // Evidence::structure_failed_ns
  bool is_empty_under_limit = false;
};
// For people, the worst first.
std::vector<std::string> fault_texts(const RepositoryFaults& faults, WallNs now_ns);

// kDamage, kRollback, kLimitMissed or kOk: the worst decides.
ExitCode judge(std::span<const StreamVerdict> streams, const RepositoryFaults& faults);

}  // namespace drs
