#include "tools/commands/status_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/commands/sweep_results.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/text_table.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr std::size_t kNagiosStreamsNamed = 5;
constexpr std::size_t kHistorySnapshotsMax = 60;  // of a stream in JSON

constexpr MetricFamily kLastSuccess{"drstream_backup_last_success_timestamp_seconds",
                                    "Time of the newest good snapshot; 0: there is none."};
constexpr MetricFamily kLastSuccessAlias{"backup_last_success_timestamp",
                                         "As drstream_backup_last_success_timestamp_seconds."};
constexpr MetricFamily kSize{"drstream_backup_size_bytes", "Size of the newest good snapshot."};
constexpr MetricFamily kSizeAlias{"backup_size_bytes", "As drstream_backup_size_bytes."};
constexpr MetricFamily kPreviousSize{"drstream_backup_previous_size_bytes", "Size of the good snapshot before it."};
constexpr MetricFamily kWithin{"drstream_backup_newest_within_seconds", "The age that the newest good one may have."};
constexpr MetricFamily kSnapshots{"drstream_backup_snapshots", "Snapshots of the stream."};
constexpr MetricFamily kLost{"drstream_backup_lost", "1: snapshots of the stream are gone or cannot be read."};
constexpr MetricFamily kUnproven{"drstream_backup_unproven",
                                 "1: the proof of the stream is older than its limit, or a rebuild of it failed."};
constexpr MetricFamily kRebuilt{"drstream_backup_rebuilt_timestamp_seconds",
                                "When a snapshot of the stream was last rebuilt well by a sweep; 0: never."};
constexpr MetricFamily kCoverage{"drstream_verify_coverage_ratio",
                                 "Share of the stored bytes that a sweep has proven within the window."};
constexpr MetricFamily kCoverageWindow{"drstream_verify_coverage_window_seconds", "The window of the coverage."};
constexpr MetricFamily kOverdue{"drstream_verify_overdue_packs",
                                "Packs that are older than the window and were not proven within it."};
constexpr MetricFamily kUnverifiedAge{
    "drstream_verify_oldest_unverified_age_seconds",
    "Age of the oldest pack that was not proven within the window; 0: there is none."};
constexpr MetricFamily kProven{"drstream_verify_proven_timestamp_seconds",
                               "When a sweep last proved something; 0: never."};
constexpr MetricFamily kStructure{"drstream_verify_structure_timestamp_seconds",
                                  "When a sweep last found that no snapshot lacks an object; 0: never."};
constexpr MetricFamily kStructureFailed{"drstream_verify_structure_failed",
                                        "1: the last sweep that looked found snapshots that lack an object."};
constexpr MetricFamily kStoredBytes{"drstream_repo_bytes", "Bytes of all packs that will not be deleted."};
constexpr MetricFamily kDamagedPacks{"drstream_repo_damaged_packs", "Packs that verify or scrub found damaged."};
constexpr MetricFamily kStatusRun{"drstream_status_last_status",
                                  "1: the last status could look at the repository, whatever it found."};
constexpr MetricFamily kStatusExitCode{"drstream_status_last_exit_code", "Exit code of the last status."};
constexpr MetricFamily kStatusTime{"drstream_status_last_success_timestamp_seconds",
                                   "When status last looked at the repository."};

std::string change_text(const StreamVerdict& stream) {
  return stream.change ? fmt::format("{:+.1f} %", *stream.change * 100) : "-";
}

// "3 streams: 2 ok, 1 late", the worst last.
std::string counts_text(const StatusReport& report) {
  std::map<StreamStatus, std::size_t> counts;
  for (const StreamVerdict& stream : report.streams) ++counts[stream.status];
  std::string out = counted(report.streams.size(), "stream");
  const char* separator = ": ";
  for (const auto& [status, count] : counts) {
    out += fmt::format("{}{} {}", separator, count, status_word(status));
    separator = ", ";
  }
  if (report.faults.damaged_packs > 0)
    out += fmt::format("; {} marked as damaged", counted(report.faults.damaged_packs, "pack"));
  return out;
}

// The last of each day, at most 60.
std::vector<CoverageMoment> last_moments(const Evidence& evidence) {
  constexpr WallNs kDayNs = std::chrono::nanoseconds(std::chrono::days(1)).count();
  constexpr std::size_t kMomentsMax = 60;
  std::map<WallNs, CoverageMoment> by_day;
  for (const CoverageMoment& moment : evidence.moments())
    if (moment.bytes > 0) by_day[moment.ended_ns / kDayNs] = moment;
  std::vector<CoverageMoment> out;
  for (const auto& [day, moment] : by_day) out.push_back(moment);
  if (out.size() > kMomentsMax) out.erase(out.begin(), out.end() - kMomentsMax);
  return out;
}

std::string proof_text(const StatusReport& report, WallNs now_ns) {
  if (!report.proof) return "";
  const Evidence& evidence = report.proof->evidence();
  const Coverage coverage = report.proof->coverage(report.proof_window);
  if (evidence.newest_ns() == 0 && coverage.overdue_packs == 0)
    return fmt::format(
        "no sweep has proven anything, and nothing is due yet: every pack was stored within {}; "
        "`drstream sweep` reads them\n",
        format_duration(report.proof_window));
  if (evidence.newest_ns() == 0) return "nothing was ever proven by a sweep: drstream sweep\n";
  std::string out = "coverage: " + coverage_text(coverage, report.proof_window) + "; last sweep " +
                    ago_text(evidence.newest_ns(), now_ns);
  if (evidence.structure_ns() != 0) out += "; nothing was missing " + ago_text(evidence.structure_ns(), now_ns);
  return out + "\n";
}

// By stream, oldest first, the last kHistorySnapshotsMax of each.
std::map<std::string_view, std::vector<const Snapshot*>> histories(const SnapshotCatalog& catalog) {
  std::map<std::string_view, std::vector<const Snapshot*>> out;
  for (const DatedSnapshot& one : oldest_first(catalog)) out[one.snapshot->manifest.stream].push_back(one.snapshot);
  for (auto& [stream, snapshots] : out)
    if (snapshots.size() > kHistorySnapshotsMax)
      snapshots.erase(snapshots.begin(), snapshots.end() - static_cast<std::ptrdiff_t>(kHistorySnapshotsMax));
  return out;
}

nlohmann::ordered_json history_json(const std::vector<const Snapshot*>& snapshots) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Snapshot* snapshot : snapshots) {
    nlohmann::ordered_json one;
    one["id"] = snapshot->id();
    one["time"] = format_time_utc(snapshot->manifest.snapshot_ns);
    one["bytes"] = snapshot->manifest.bytes;
    one["stored_bytes"] = snapshot->manifest.stored_bytes;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::string status_text(const StatusReport& report, std::size_t columns_max, WallNs now_ns) {
  using Align = TextTable::Align;
  TextTable table({{"STREAM"},
                   {"STATUS"},
                   {"AGE", Align::kRight},
                   {"WITHIN", Align::kRight, 3},
                   {"SIZE", Align::kRight, 1},
                   {"CHANGE", Align::kRight, 2},
                   {"REBUILT", Align::kRight, 4},
                   {"PRODUCER", Align::kLeft, 5},
                   {"SNAPSHOTS", Align::kRight, 6}});
  for (const StreamVerdict& stream : report.streams) {
    const Snapshot* const good = stream.state.good.snapshot;
    const bool has_age = good != nullptr && stream.status != StreamStatus::kIgnored;
    table.add_row({stream.state.stream, std::string(status_word(stream.status)),
                   has_age ? format_duration(stream.age) : "-", stream.limit ? format_duration(*stream.limit) : "-",
                   good == nullptr ? "-" : format_size(good->manifest.bytes), change_text(stream),
                   stream.rebuilt_age ? format_duration(*stream.rebuilt_age) : "-",
                   good == nullptr ? "-" : producer_word(good->manifest), std::to_string(stream.state.snapshots)});
  }
  const std::string problems = status_problems_text(report, now_ns);
  if (report.streams.empty()) return (report.faults.is_empty_under_limit ? "" : "no snapshots\n") + problems;
  return table.text(columns_max) + problems + proof_text(report, now_ns) + counts_text(report) + "\n";
}

std::string status_problems_text(const StatusReport& report, WallNs now_ns) {
  std::string out;
  for (const StreamVerdict& stream : report.streams)
    for (const std::string& problem : stream.problems) out += stream.state.stream + ": " + problem + "\n";
  for (const std::string& fault : fault_texts(report.faults, now_ns)) out += fault + "\n";
  return out;
}

nlohmann::ordered_json status_json(const StatusReport& report, WallNs now_ns) {
  const auto history = histories(report.catalog);
  nlohmann::ordered_json out;
  out["repository"] = report.repository;
  out["streams"] = nlohmann::ordered_json::array();
  for (const StreamVerdict& stream : report.streams) {
    const StreamState& state = stream.state;
    nlohmann::ordered_json one;
    one["stream"] = state.stream;
    one["status"] = status_word(stream.status);
    one["snapshot_count"] = state.snapshots;
    one["unreadable_count"] = state.unreadable;
    if (state.newest != nullptr) one["newest_id"] = state.newest->id();
    if (const Snapshot* const good = state.good.snapshot; good != nullptr) {
      one["good_id"] = good->id();
      one["good_time"] = format_time_utc(state.good.made_ns);
      one["bytes"] = good->manifest.bytes;
      one["producer_seen"] = good->manifest.producer != ProducerKind::kUnseen;
      if (stream.status != StreamStatus::kIgnored) one["age_seconds"] = static_cast<double>(stream.age.count()) / 1e3;
    }
    if (state.before != nullptr) one["previous_bytes"] = state.before->manifest.bytes;
    if (stream.limit) one["newest_within_seconds"] = static_cast<double>(stream.limit->count()) / 1e3;
    if (stream.rebuilt_age) one["rebuilt_age_seconds"] = static_cast<double>(stream.rebuilt_age->count()) / 1e3;
    if (stream.proof_limit) one["verified_within_seconds"] = static_cast<double>(stream.proof_limit->count()) / 1e3;
    one["problems"] = stream.problems;
    if (const auto found = history.find(state.stream); found != history.end())
      one["size_history"] = history_json(found->second);
    out["streams"].push_back(std::move(one));
  }
  if (report.proof) {
    out["coverage"] = coverage_json(report.proof->coverage(report.proof_window), report.proof_window);
    const Evidence& evidence = report.proof->evidence();
    for (const CoverageMoment& moment : last_moments(evidence)) {
      const double share = static_cast<double>(moment.proven_bytes) / static_cast<double>(moment.bytes);
      out["coverage_history"].push_back(
          {{"time", format_time_utc(moment.ended_ns)}, {"ratio", share}, {"stored_bytes", moment.bytes}});
    }
    if (evidence.newest_ns() != 0) out["proven_time"] = format_time_utc(evidence.newest_ns());
    if (evidence.structure_ns() != 0) out["structure_time"] = format_time_utc(evidence.structure_ns());
  }
  if (report.faults.structure_failed_ns != 0)
    out["structure_failed_time"] = format_time_utc(report.faults.structure_failed_ns);
  out["packs_marked"] = report.faults.damaged_packs;
  out["problems"] = fault_texts(report.faults, now_ns);
  out["warnings"] = report.warnings;
  return out;
}

MetricsText status_metrics(const StatusReport& report, const std::string& place, double when) {
  MetricsText out;
  const auto each = [&](const MetricFamily& family, auto value_of) {
    for (const StreamVerdict& stream : report.streams) {
      if (stream.status == StreamStatus::kIgnored) continue;
      const std::optional<double> value = value_of(stream);
      if (!value) continue;
      out.add(family, {{"repository", place}, {"stream", stream.state.stream}, {"database", stream.state.stream}},
              *value);
    }
  };
  const auto good_time = [](const StreamVerdict& stream) -> std::optional<double> {
    // 0 of a stream without one: its age is beyond every limit.
    return stream.state.good.snapshot == nullptr ? 0 : static_cast<double>(stream.state.good.made_ns) / 1e9;
  };
  const auto size = [](const StreamVerdict& stream) -> std::optional<double> {
    if (stream.state.good.snapshot == nullptr) return std::nullopt;
    return static_cast<double>(stream.state.good.snapshot->manifest.bytes);
  };
  each(kLastSuccess, good_time);
  each(kLastSuccessAlias, good_time);
  each(kSize, size);
  each(kSizeAlias, size);
  each(kPreviousSize, [](const StreamVerdict& stream) -> std::optional<double> {
    if (stream.state.before == nullptr) return std::nullopt;
    return static_cast<double>(stream.state.before->manifest.bytes);
  });
  each(kWithin, [](const StreamVerdict& stream) -> std::optional<double> {
    if (!stream.limit) return std::nullopt;
    return static_cast<double>(stream.limit->count()) / 1e3;
  });
  each(kSnapshots, [](const StreamVerdict& stream) -> std::optional<double> {
    return static_cast<double>(stream.state.snapshots);
  });
  each(kLost, [](const StreamVerdict& stream) -> std::optional<double> {
    return stream.status == StreamStatus::kLost || stream.status == StreamStatus::kDamaged ? 1 : 0;
  });
  each(kUnproven, [](const StreamVerdict& stream) -> std::optional<double> { return stream.is_unproven ? 1 : 0; });
  each(kRebuilt, [&](const StreamVerdict& stream) -> std::optional<double> {
    if (!stream.rebuilt_age) return 0;
    return when - static_cast<double>(stream.rebuilt_age->count()) / 1e3;
  });
  const Coverage coverage = report.proof->coverage(report.proof_window);
  const WallNs now_ns = static_cast<WallNs>(when * 1e9);
  out.add(kCoverage, {{"repository", place}}, coverage_ratio(coverage));
  out.add(kCoverageWindow, {{"repository", place}}, static_cast<double>(report.proof_window.count()) / 1e3);
  out.add(kOverdue, {{"repository", place}}, static_cast<double>(coverage.overdue_packs));
  out.add(kUnverifiedAge, {{"repository", place}},
          coverage.oldest_unproven_ns == 0 ? 0 : static_cast<double>(now_ns - coverage.oldest_unproven_ns) / 1e9);
  out.add(kProven, {{"repository", place}}, static_cast<double>(report.proof->evidence().newest_ns()) / 1e9);
  out.add(kStructure, {{"repository", place}}, static_cast<double>(report.proof->evidence().structure_ns()) / 1e9);
  out.add(kStoredBytes, {{"repository", place}}, static_cast<double>(coverage.bytes));
  out.add(kStructureFailed, {{"repository", place}}, report.faults.structure_failed_ns == 0 ? 0 : 1);
  out.add(kDamagedPacks, {{"repository", place}}, static_cast<double>(report.faults.damaged_packs));
  out.add(kStatusRun, {{"repository", place}}, 1);
  out.add(kStatusExitCode, {{"repository", place}}, static_cast<double>(report.exit_code()));
  out.add(kStatusTime, {{"repository", place}}, when);
  return out;
}

MetricsText failed_status_metrics(const std::string& place, int exit_status) {
  MetricsText out;
  out.add(kStatusRun, {{"repository", place}}, 0);
  out.add(kStatusExitCode, {{"repository", place}}, exit_status);
  return out;
}

NagiosAnswer nagios_answer(const StatusReport& report, WallNs now_ns) {
  std::vector<const StreamVerdict*> bad;
  for (const StreamVerdict& stream : report.streams)
    if (stream.status > StreamStatus::kOk) bad.push_back(&stream);
  std::ranges::stable_sort(bad, std::greater(), &StreamVerdict::status);
  const bool critical = report.exit_code() != ExitCode::kOk;
  NagiosAnswer answer;
  answer.exit_status = critical ? 2 : bad.empty() ? 0 : 1;
  answer.line = fmt::format("DRSTREAM {} - {}",
                            critical      ? "CRITICAL"
                            : bad.empty() ? "OK"
                                          : "WARNING",
                            counts_text(report));
  for (const std::string& fault : fault_texts(report.faults, now_ns)) answer.line += "; " + fault;
  for (std::size_t i = 0; i < std::min(bad.size(), kNagiosStreamsNamed); ++i)
    answer.line += fmt::format("; {}: {}", bad[i]->state.stream, bad[i]->problems.front());
  if (bad.size() > kNagiosStreamsNamed) answer.line += fmt::format("; and {} more", bad.size() - kNagiosStreamsNamed);
  std::ranges::replace(answer.line, '|', '/');  // which begins the figures
  answer.line += " |";
  for (const StreamVerdict& stream : report.streams) {
    const Snapshot* const good = stream.state.good.snapshot;
    if (good == nullptr || stream.status == StreamStatus::kIgnored) continue;
    answer.line +=
        fmt::format(" '{0} age'={1}s;;{2};0 '{0} size'={3}B;;;0", stream.state.stream, stream.age.count() / 1000,
                    stream.limit ? std::to_string(stream.limit->count() / 1000) : "", good->manifest.bytes);
  }
  if (report.proof) {
    const Coverage coverage = report.proof->coverage(report.proof_window);
    answer.line += fmt::format(" coverage={:.2f}%;;;0;100 overdue_packs={};;;0",
                               std::floor(coverage_ratio(coverage) * 10'000) / 100, coverage.overdue_packs);
  }
  answer.line += fmt::format(" damaged_packs={};;0;0", report.faults.damaged_packs);
  return answer;
}

}  // namespace drs
