#include "tools/commands/status_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "tools/config/stream_table.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

using std::chrono::milliseconds;

void add(StreamVerdict& stream, StreamStatus status, std::string problem) {
  stream.status = std::max(stream.status, status);
  stream.is_unproven = stream.is_unproven || status == StreamStatus::kUnproven;
  stream.problems.push_back(std::move(problem));
}

void judge_age(StreamVerdict& stream, WallNs now_ns) {
  const StreamState& state = stream.state;
  if (state.good.snapshot == nullptr) {
    if (stream.limit || state.snapshots == 0)
      add(stream, StreamStatus::kAbsent,
          state.snapshots == 0 ? "there is no snapshot" : "no snapshot is good: each one missed a limit");
    return;
  }
  stream.age = milliseconds(std::max<WallNs>(now_ns - state.good.made_ns, 0) / 1'000'000);
  if (!stream.limit || stream.age <= *stream.limit) return;
  std::string problem = fmt::format("the newest good snapshot is {} old, expected within {}",
                                    format_duration(stream.age), format_duration(*stream.limit));
  if (state.newest != state.good.snapshot)
    problem += fmt::format("; {} is newer and not good", state.newest->id().substr(0, kIdDigitsShown));
  add(stream, StreamStatus::kLate, std::move(problem));
}

void judge_size(StreamVerdict& stream) {
  const StreamState& state = stream.state;
  if (state.before == nullptr || state.before->manifest.bytes == 0) return;
  const std::uint64_t bytes = state.good.snapshot->manifest.bytes;
  const std::uint64_t before = state.before->manifest.bytes;
  stream.change = static_cast<double>(bytes) / static_cast<double>(before) - 1;
  if (*stream.change < -kShrunkBy || *stream.change > kGrownBy)
    add(stream, StreamStatus::kChanged,
        fmt::format("the newest good snapshot has {}, the one before it {}", format_size(bytes), format_size(before)));
}

void judge_stream(StreamVerdict& stream, std::size_t lost, WallNs now_ns) {
  const StreamState& state = stream.state;
  judge_size(stream);
  judge_age(stream, now_ns);
  const std::size_t gone = std::max(lost, state.missing);
  if (gone > 0)
    add(stream, StreamStatus::kLost,
        fmt::format("{} that existed {} gone: `drstream verify` says which", counted(gone, "snapshot"),
                    gone == 1 ? "is" : "are"));
  if (state.unreadable > 0)
    add(stream, StreamStatus::kDamaged,
        fmt::format("{} cannot be read: `drstream verify` says which", counted(state.unreadable, "snapshot")));
}

// A snapshot that could not be rebuilt, and was not rebuilt since.
void judge_failed_rebuild(StreamVerdict& stream, const Snapshot& snapshot, const StatusProof& proof, WallNs failed_ns,
                          milliseconds age) {
  const bool is_whole = proof.is_whole_since(failed_ns);
  stream.is_unproven = true;
  add(stream, is_whole ? StreamStatus::kUnproven : StreamStatus::kDamaged,
      fmt::format(
          "{} could not be rebuilt {} ago{}: `drstream sweep --level rebuild` proves it again{}",
          snapshot.id().substr(0, kIdDigitsShown), format_duration(age),
          is_whole ? "; since then all packs were read and decoded, and nothing is missing" : "",
          is_whole ? "" : fmt::format(" once it is healed, `drstream verify {}` says what it lacks", snapshot.id())));
}

// Streams that are expected by name, and patterns that no stream matches.
void add_expected(std::vector<StreamState>& states, std::span<const Expectation> expectations) {
  const std::size_t found = states.size();
  for (const Expectation& expected : expectations) {
    if (expected.ignored) continue;
    for (const std::string& text : expected.streams) {
      const auto matches = [&](const StreamState& state) { return stream_matches(text, state.stream); };
      if (std::any_of(states.begin(), states.begin() + static_cast<std::ptrdiff_t>(found), matches)) continue;
      if (std::ranges::find(states, text, &StreamState::stream) == states.end()) states.emplace_back().stream = text;
    }
  }
}

}  // namespace

std::string_view status_word(StreamStatus status) {
  switch (status) {
    case StreamStatus::kIgnored: return "ignored";
    case StreamStatus::kOk: return "ok";
    case StreamStatus::kChanged: return "changed";
    case StreamStatus::kUnproven: return "unproven";
    case StreamStatus::kLate: return "late";
    case StreamStatus::kAbsent: return "absent";
    case StreamStatus::kLost: return "lost";
    case StreamStatus::kDamaged: return "damaged";
  }
  return "";
}

std::vector<StreamVerdict> judge_streams(std::vector<StreamState> states, std::span<const LostStream> lost,
                                         const StatusLimits& limits, WallNs now_ns) {
  for (const LostStream& one : lost)
    if (std::ranges::find(states, one.stream, &StreamState::stream) == states.end())
      states.emplace_back().stream = one.stream;
  add_expected(states, limits.expectations);
  std::ranges::sort(states, {}, &StreamState::stream);
  std::vector<StreamVerdict> out;
  for (StreamState& state : states) {
    StreamVerdict& stream = out.emplace_back();
    stream.state = std::move(state);
    const std::string& name = stream.state.stream;
    const Expectation* const expected = first_table_of(limits.expectations, name);
    if (expected != nullptr && expected->ignored) {
      stream.status = StreamStatus::kIgnored;
      continue;
    }
    stream.limit = limits.newest_within;
    if (!stream.limit && expected != nullptr) stream.limit = expected->newest_within;
    const auto found = std::ranges::find(lost, name, &LostStream::stream);
    judge_stream(stream, found == lost.end() ? 0 : found->snapshots, now_ns);
  }
  return out;
}

Coverage StatusProof::coverage(milliseconds within) const {
  return coverage_of(packs_, proofs_, {now_ns_ - std::chrono::nanoseconds(within).count(), now_ns_});
}

bool StatusProof::is_whole_since(WallNs then_ns) const {
  const Coverage coverage = coverage_of(packs_, proofs_, {then_ns + 1, now_ns_});
  return coverage.complete() && coverage.decoded_bytes == coverage.bytes && evidence_.structure_ns() > then_ns &&
         !something_is_missing();
}

void judge_proofs(std::vector<StreamVerdict>& streams, const SnapshotCatalog& catalog, const StatusProof& proof,
                  const StatusLimits& limits, WallNs now_ns) {
  std::unordered_map<std::string_view, StreamVerdict*> by_name;
  for (StreamVerdict& stream : streams)
    if (stream.status != StreamStatus::kIgnored) by_name[stream.state.stream] = &stream;
  for (const Snapshot& snapshot : catalog.live) {
    const auto stream = by_name.find(snapshot.manifest.stream);
    const RebuildProof* const rebuilt = proof.evidence().rebuilt(snapshot.digest);
    if (stream == by_name.end() || rebuilt == nullptr) continue;
    const auto age = milliseconds(std::max<WallNs>(now_ns - rebuilt->proven_ns, 0) / 1'000'000);
    std::optional<milliseconds>& newest = stream->second->rebuilt_age;
    if (rebuilt->well)
      newest = newest ? std::min(*newest, age) : age;
    else
      judge_failed_rebuild(*stream->second, snapshot, proof, rebuilt->proven_ns, age);
  }
  for (const auto& [name, stream] : by_name) {
    const Expectation* const expected = first_table_of(limits.expectations, stream->state.stream);
    stream->proof_limit = limits.verified_within;
    if (!stream->proof_limit && expected != nullptr) stream->proof_limit = expected->verified_within;
    const auto limit = stream->proof_limit;
    if (!limit || stream->state.snapshots == 0 || (stream->rebuilt_age && *stream->rebuilt_age <= *limit)) continue;
    if (const Coverage coverage = proof.coverage(*limit); coverage.overdue_packs > 0)
      add(*stream, StreamStatus::kUnproven,
          fmt::format("not proven within {}: {} of the repository {} not read by a sweep within that time, and no "
                      "snapshot of the stream was rebuilt",
                      format_duration(*limit), counted(coverage.overdue_packs, "pack"),
                      coverage.overdue_packs == 1 ? "was" : "were"));
  }
}

std::vector<std::string> fault_texts(const RepositoryFaults& faults, WallNs now_ns) {
  std::vector<std::string> out;
  if (faults.damaged_packs > 0)
    out.push_back(fmt::format(
        "{} marked as damaged: `drstream verify` says which snapshots need them; `drstream repair packs` heals "
        "from a replica, and pushes store their chunks anew",
        counted(faults.damaged_packs, "pack") + (faults.damaged_packs == 1 ? " is" : " are")));
  if (faults.structure_failed_ns != 0)
    out.push_back(fmt::format("a sweep found {} that snapshots lack stored blocks: `drstream verify` says which",
                              ago_text(faults.structure_failed_ns, now_ns)));
  if (faults.is_empty_under_limit)
    out.emplace_back("no snapshots: a limit was given and there is nothing that meets it");
  return out;
}

ExitCode judge(std::span<const StreamVerdict> streams, const RepositoryFaults& faults) {
  const auto worst = std::ranges::max_element(streams, {}, &StreamVerdict::status);
  const StreamStatus status = worst == streams.end() ? StreamStatus::kOk : worst->status;
  if (status == StreamStatus::kDamaged || faults.damaged_packs > 0 || faults.structure_failed_ns != 0)
    return ExitCode::kDamage;
  if (status == StreamStatus::kLost) return ExitCode::kRollback;
  return status >= StreamStatus::kUnproven || faults.is_empty_under_limit ? ExitCode::kLimitMissed : ExitCode::kOk;
}

}  // namespace drs
