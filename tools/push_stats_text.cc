#include "tools/push_stats_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/size_text.h"
#include "tools/text_table.h"

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

// "stream_digest" for "stream digest".
std::string key_of(std::string_view name) {
  std::string key(name);
  for (char& c : key)
    if (c == ' ') c = '_';
  return key;
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
         fmt::format("{:.3f} copies of each byte; at the least {} of {} segments and {} of {} pack buffers were free\n",
                     ratio(stats.copied_bytes, stats.stage(PushStage::kRead).bytes), stats.segments_free_min,
                     stats.segments, stats.pack_buffers_free_min, stats.pack_buffers) +
         "what holds this push back: " + explain_bottleneck(stats) + "\n";
}

nlohmann::ordered_json push_stats_json(const PushStats& stats) {
  nlohmann::ordered_json stages;
  for (std::size_t i = 0; i < kPushStages; ++i)
    stages[key_of(push_stage_name(static_cast<PushStage>(i)))] = {{"bytes", stats.stages[i].bytes},
                                                                  {"cpu_ns", stats.stages[i].cpu_ns}};
  nlohmann::ordered_json out;
  out["stages"] = std::move(stages);
  out["wait_ns"] = {{"source", stats.wait(PushWait::kForSource)},
                    {"buffers", stats.wait(PushWait::kForBuffers)},
                    {"work", stats.wait(PushWait::kForWork)},
                    {"store", stats.wait(PushWait::kForStore)}};
  out["wall_ns"] = stats.wall_ns;
  out["workers"] = stats.workers;
  out["cores"] = stats.cores;
  out["segments"] = {{"count", stats.segments}, {"free_min", stats.segments_free_min}};
  out["pack_buffers"] = {{"count", stats.pack_buffers}, {"free_min", stats.pack_buffers_free_min}};
  out["bottleneck"] = key_of(bottleneck_name(bottleneck(stats)));
  out["explanation"] = explain_bottleneck(stats);
  return out;
}

}  // namespace drs
