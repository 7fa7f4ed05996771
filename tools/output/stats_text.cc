#include "tools/output/stats_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/output.h"
#include "tools/output/quantity_text.h"
#include "tools/output/text_table.h"

namespace drs {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string seconds(std::uint64_t ns) {
  return fmt::format("{:.2f} s", static_cast<double>(ns) / 1e9);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{:.0f} %", 100 * ratio(part, whole));
}

// A stage's name as that of a field: "stream_digest" for "stream digest".
std::string field_of(std::string_view name) {
  std::string field(name);
  std::ranges::replace(field, ' ', '_');
  return field;
}

}  // namespace

std::string push_stats_text(const PushStats& stats) {
  constexpr auto kRight = TextTable::Align::kRight;
  TextTable table({{"STAGE"}, {"BYTES", kRight}, {"CPU", kRight}, {"OF CPU", kRight}, {"NS/BYTE", kRight}});
  const std::uint64_t cpu_ns = stats.cpu_ns();
  for (std::size_t i = 0; i < kPushStages; ++i) {
    const PushStats::Stage& stage = stats.stages[i];
    table.add_row({std::string(push_stage_name(static_cast<PushStage>(i))), format_size(stage.bytes),
                   seconds(stage.cpu_ns), percent(stage.cpu_ns, cpu_ns),
                   fmt::format("{:.3f}", ratio(stage.cpu_ns, stage.bytes))});
  }
  return table.text() +
         fmt::format("{} of CPU in {}: {} of {} cores; {} workers, idle {} of their time\n", seconds(cpu_ns),
                     seconds(stats.wall_ns), percent(cpu_ns, stats.wall_ns * stats.cores), stats.cores, stats.workers,
                     percent(stats.wait(PushWait::kForWork), stats.wall_ns * stats.workers)) +
         fmt::format("waited {} for the source, {} for buffers, {} for the store\n",
                     seconds(stats.wait(PushWait::kForSource)), seconds(stats.wait(PushWait::kForBuffers)),
                     seconds(stats.wait(PushWait::kForStore))) +
         fmt::format(
             "{:.3f} copies of each byte; at least {} of {} segments and {} of {} pack buffers were free at any time\n",
             ratio(stats.copied_bytes, stats.stage(PushStage::kRead).bytes), stats.segments_free_min, stats.segments,
             stats.pack_buffers_free_min, stats.pack_buffers) +
         "bottleneck: " + explain_bottleneck(stats) + "\n";
}

nlohmann::ordered_json push_stats_json(const PushStats& stats) {
  nlohmann::ordered_json stages;
  for (std::size_t i = 0; i < kPushStages; ++i)
    stages[field_of(push_stage_name(static_cast<PushStage>(i)))] = {{"bytes", stats.stages[i].bytes},
                                                                    {"cpu_ns", stats.stages[i].cpu_ns}};
  nlohmann::ordered_json out;
  out["stages"] = std::move(stages);
  out["wait_ns"] = {{"source", stats.wait(PushWait::kForSource)},
                    {"buffers", stats.wait(PushWait::kForBuffers)},
                    {"work", stats.wait(PushWait::kForWork)},
                    {"store", stats.wait(PushWait::kForStore)}};
  out["wall_ns"] = stats.wall_ns;
  out["copied_bytes"] = stats.copied_bytes;
  out["workers"] = stats.workers;
  out["cores"] = stats.cores;
  out["segments"] = {{"count", stats.segments}, {"free_min", stats.segments_free_min}};
  out["pack_buffers"] = {{"count", stats.pack_buffers}, {"free_min", stats.pack_buffers_free_min}};
  out["bottleneck"] = json_word(bottleneck_name(bottleneck(stats)));
  out["explanation"] = explain_bottleneck(stats);
  return out;
}

std::string request_counts_text(const std::vector<RequestCount>& counts) {
  if (counts.empty()) return "";
  std::string kinds;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  for (const RequestCount& count : counts) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count.kind, count.requests);
    if (count.attempts > count.requests) kinds += fmt::format(" ({} made again)", count.attempts - count.requests);
    sent_bytes += count.sent_bytes;
    received_bytes += count.received_bytes;
  }
  return fmt::format("requests: {}; sent {}, received {}\n", kinds, format_size(sent_bytes),
                     format_size(received_bytes));
}

nlohmann::ordered_json request_counts_json(const std::vector<RequestCount>& counts) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const RequestCount& count : counts)
    out[count.kind] = {{"request_count", count.requests},
                       {"attempt_count", count.attempts},
                       {"sent_bytes", count.sent_bytes},
                       {"received_bytes", count.received_bytes}};
  return out;
}

}  // namespace drs
