#include "tools/output/evidence_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/output/evidence.h"
#include "tools/output/evidence_values.h"
#include "tools/output/json_members.h"
#include "tools/output/markup_text.h"
#include "tools/output/quantity_text.h"
#include "tools/output/svg_chart.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBarsOfOneChart = 25;  // which fit on a page of A4

std::string size_text(double value) {
  return format_size(static_cast<std::uint64_t>(value));
}

// Rounded down, so that 100 % means all.
std::string share_text(double value) {
  return fmt::format("{:.1f} %", std::floor(value * 1000) / 10);
}

// How far the age is beyond its limit; without a limit, small.
double lateness(const Json& stream) {
  const double age = number_member(stream, "age_seconds").value_or(0);
  const double limit = number_member(stream, "newest_within_seconds").value_or(0);
  return limit > 0 ? age / limit : age / 1e12;
}

// The worst first, and of equal ones the latest.
std::vector<const Json*> worst_streams(const Json& result) {
  std::vector<const Json*> out;
  for (const Json& stream : list_member(result, "streams")) out.push_back(&stream);
  std::ranges::stable_sort(out, [](const Json* a, const Json* b) {
    const std::size_t left = rank_of_word(text_member(*a, "status"));
    const std::size_t right = rank_of_word(text_member(*b, "status"));
    return left != right ? left < right : lateness(*a) > lateness(*b);
  });
  return out;
}

std::vector<ChartPoint> points_of(const Json& list, std::string_view member) {
  std::vector<ChartPoint> out;
  for (const Json& one : list) {
    const auto time = parse_time(text_member(one, "time"), 0, TimeEdge::kBegin);
    const auto value = number_member(one, member);
    if (time.ok() && value) out.push_back({static_cast<double>(*time) / 1e9, *value});
  }
  std::ranges::stable_sort(out, {}, &ChartPoint::seconds);
  return out;
}

std::string section(const std::string& title, const std::string& content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", title, content);
}

std::string rest_note(std::size_t count) {
  if (count <= kChartedStreamsMax) return "";
  return fmt::format("<p class=\"note\">The {} worst of {} streams; the table has all.</p>\n", kChartedStreamsMax,
                     count);
}

std::string ages_html(const std::vector<const Json*>& streams) {
  std::string out;
  std::vector<ChartBar> bars;
  std::size_t count = 0;
  const auto draw = [&] {
    if (!bars.empty()) out += "<figure>" + bar_chart("Ages of streams", bars) + "</figure>\n";
    bars.clear();
  };
  for (const Json* stream : streams) {
    const auto age = number_member(*stream, "age_seconds");
    if (!age || ++count > kChartedStreamsMax) continue;
    ChartBar& bar = bars.emplace_back();
    bar.label = text_member(*stream, "stream");
    bar.value = std::max(*age, 0.0);
    bar.limit = number_member(*stream, "newest_within_seconds").value_or(0);
    bar.text = format_duration(std::chrono::duration<double>(bar.value));
    bar.verdict = verdict_of_word(text_member(*stream, "status"));
    if (bars.size() == kBarsOfOneChart) draw();
  }
  draw();
  if (out.empty()) return "";
  return section("Age of the newest good snapshot",
                 out + rest_note(count) + "<p class=\"note\">The upright mark is the limit of the stream.</p>\n");
}

std::vector<ChartPanel> panels_of(const Json& stream) {
  std::vector<ChartPanel> out;
  const Json& history = list_member(stream, "size_history");
  if (history.size() > 1) {
    out.push_back({"Size", ChartPanel::Form::kLine, points_of(history, "bytes"), 0, size_text});
    out.push_back({"Stored anew", ChartPanel::Form::kBars, points_of(history, "stored_bytes"), 0, size_text});
  }
  const Json& coverage = list_member(stream, "coverage_history");
  if (!coverage.empty())
    out.push_back({"Coverage", ChartPanel::Form::kLine, points_of(coverage, "ratio"), 1, share_text});
  std::erase_if(out, [](const ChartPanel& panel) { return panel.points.empty(); });
  return out;
}

std::string histories_html(const std::vector<const Json*>& streams) {
  std::string out;
  std::size_t count = 0;
  for (const Json* stream : streams) {
    const std::vector<ChartPanel> panels = panels_of(*stream);
    if (panels.empty() || ++count > kChartedStreamsMax) continue;
    const std::string name(text_member(*stream, "stream"));
    out +=
        fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n", markup_value(name), time_chart(name, panels));
  }
  if (out.empty()) return "";
  return section("Snapshots over time", "<div class=\"charts\">\n" + out + "</div>\n" + rest_note(count));
}

}  // namespace

std::string coverage_html(const Json& result) {
  std::string out;
  const auto read = number_member(result, "read_bytes");
  const auto all = number_member(result, "packs_bytes");
  const Json& proven = object_member(result, "coverage");
  std::optional<double> ratio = number_member(proven, "ratio");
  if (ratio) {
    out += share_bar(*ratio);
    out +=
        fmt::format("<p>{} of the {} that are stored were proven within {}: {:.0f} of {:.0f} packs.</p>\n",
                    share_text(*ratio), size_text(number_member(proven, "bytes").value_or(0)),
                    format_duration(std::chrono::duration<double>(number_member(proven, "within_seconds").value_or(0))),
                    number_member(proven, "proven_packs").value_or(0), number_member(proven, "packs").value_or(0));
    return section("Coverage", out);
  }
  if (read && all && *all > 0) ratio = *read / *all;
  if (ratio) {
    out += share_bar(*ratio);
    out += fmt::format("<p>{} of the stored data was read and checked{}.</p>\n", share_text(*ratio),
                       read && all ? fmt::format(": {} of {}", size_text(*read), size_text(*all)) : "");
  }
  if (const auto objects = number_member(result, "objects_read"); objects && !ratio)
    out += fmt::format("<p>{:.0f} objects with {} were read, which is all that is there.</p>\n", *objects,
                       size_text(read.value_or(0)));
  if (const auto snapshots = number_member(result, "snapshots_checked"); snapshots && !out.empty())
    out += fmt::format("<p>The structure of {:.0f} snapshots was checked; {:.0f} were rebuilt and compared.</p>\n",
                       *snapshots, number_member(result, "snapshots_rebuilt").value_or(0));
  return out.empty() ? "" : section("Coverage", out);
}

std::string charts_html(const Json& result) {
  std::string out;
  if (const Json& coverage = list_member(result, "coverage_history"); !coverage.empty()) {
    const std::vector<ChartPanel> panels = {
        {"Coverage", ChartPanel::Form::kLine, points_of(coverage, "ratio"), 1, share_text}};
    if (!panels.front().points.empty())
      out += section("Coverage over time",
                     "<div class=\"charts\"><figure>" + time_chart("Coverage", panels) + "</figure></div>\n");
  }
  const std::vector<const Json*> streams = worst_streams(result);
  return out + ages_html(streams) + histories_html(streams);
}

}  // namespace drs
