#include "tools/output/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "tools/output/markup_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr double kWidth = 340;
constexpr double kPanelHeight = 52;
constexpr double kPanelGap = 20;  // holds the title of the next panel
constexpr double kAxisHeight = 16;
constexpr double kBarsWidth = 700;
constexpr double kBarRow = 20;
constexpr double kBarLabelWidth = 210;
constexpr double kBarTextWidth = 130;
constexpr std::size_t kLabelBytesMax = 36;
constexpr double kLineBarWidthMax = 9;

std::string date_text(double seconds) {
  return format_time_utc(static_cast<WallNs>(seconds * 1e9)).substr(0, 10);
}

struct TimeAxis {
  double begin = 0;
  double end = 0;
  [[nodiscard]] double x(double seconds) const {
    constexpr double kMargin = 6;
    if (end <= begin) return kWidth / 2;
    return kMargin + (seconds - begin) / (end - begin) * (kWidth - 2 * kMargin);
  }
};

std::span<const ChartPoint> drawn(const ChartPanel& panel) {
  const std::size_t count = std::min(panel.points.size(), kChartPointsMax);
  return std::span(panel.points).last(count);
}

TimeAxis axis_of(const std::vector<ChartPanel>& panels) {
  TimeAxis axis;
  bool any = false;
  for (const ChartPanel& panel : panels)
    for (const ChartPoint& point : drawn(panel)) {
      axis.begin = any ? std::min(axis.begin, point.seconds) : point.seconds;
      axis.end = any ? std::max(axis.end, point.seconds) : point.seconds;
      any = true;
    }
  return axis;
}

std::string line_svg(std::span<const ChartPoint> points, const TimeAxis& axis, const auto& y, double floor) {
  std::string line;
  std::string dots;
  for (const ChartPoint& point : points) {
    line += fmt::format("{:.1f},{:.1f} ", axis.x(point.seconds), y(point.value));
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.8\"/>", axis.x(point.seconds), y(point.value));
  }
  return fmt::format("<polygon class=\"area\" points=\"{:.1f},{:.1f} {}{:.1f},{:.1f}\"/><polyline points=\"{}\"/>{}\n",
                     axis.x(points.front().seconds), floor, line, axis.x(points.back().seconds), floor, line, dots);
}

std::string bars_svg(std::span<const ChartPoint> points, const TimeAxis& axis, const auto& y, double floor) {
  const double width = std::clamp(kWidth / static_cast<double>(points.size()) * 0.6, 1.0, kLineBarWidthMax);
  std::string out;
  for (const ChartPoint& point : points) {
    const double height = std::max(floor - y(point.value), 0.5);
    out += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                       axis.x(point.seconds) - width / 2, floor - height, width, height);
  }
  return out + "\n";
}

std::string panel_svg(const ChartPanel& panel, const TimeAxis& axis, double top) {
  const auto points = drawn(panel);
  if (points.empty()) return "";
  double most = panel.value_max;
  if (most <= 0)
    for (const ChartPoint& point : points) most = std::max(most, point.value);
  const double floor = top + kPanelHeight;
  const auto y = [&](double value) {
    return most <= 0 ? floor : floor - std::clamp(value / most, 0.0, 1.0) * (kPanelHeight - 4);
  };
  std::string out = fmt::format(
      "<text x=\"6\" y=\"{:.1f}\">{}: last {}, scale to {}</text><line class=\"axis\" x1=\"0\" x2=\"{}\" y1=\"{:.1f}\" "
      "y2=\"{:.1f}\"/>",
      top - 5, markup_value(panel.title), markup_value(panel.text_of(points.back().value)),
      markup_value(panel.text_of(most)), kWidth, floor, floor);
  out += panel.form == ChartPanel::Form::kLine ? line_svg(points, axis, y, floor) : bars_svg(points, axis, y, floor);
  return out;
}

std::string svg(const std::string& title, double width, double height, const std::string& content) {
  return fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" aria-label=\"{2}\">\n{3}</svg>\n", width,
      height, markup_value(title), content);
}

}  // namespace

std::string time_chart(const std::string& title, const std::vector<ChartPanel>& panels) {
  const TimeAxis axis = axis_of(panels);
  std::string content;
  double top = kPanelGap;
  for (const ChartPanel& panel : panels) {
    content += panel_svg(panel, axis, top);
    top += kPanelHeight + kPanelGap;
  }
  const double height = top - kPanelGap + kAxisHeight;
  const std::string first = date_text(axis.begin), last = date_text(axis.end);
  content += fmt::format("<text x=\"6\" y=\"{:.1f}\">{}</text>", height - 4, first);
  if (first != last)
    content += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kWidth - 6, height - 4, last);
  return svg(title, kWidth, height, content);
}

std::string bar_chart(const std::string& title, const std::vector<ChartBar>& bars) {
  double most = 0;
  for (const ChartBar& bar : bars) most = std::max({most, bar.value, bar.limit});
  const double room = kBarsWidth - kBarLabelWidth - kBarTextWidth;
  const auto length = [&](double value) { return most <= 0 ? 0 : value / most * room; };
  std::string content;
  double top = 0;
  for (const ChartBar& bar : bars) {
    content += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", kBarLabelWidth - 8, top + 14,
                           markup_value(without_middle(bar.label, kLabelBytesMax)));
    content +=
        fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>", verdict_word(bar.verdict),
                    kBarLabelWidth, top + 4, std::max(length(bar.value), 1.0), kBarRow - 8);
    double end = length(bar.value);
    if (bar.limit > 0) {
      const double x = kBarLabelWidth + length(bar.limit);
      content += fmt::format("<line class=\"limit\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", x, top + 1,
                             top + kBarRow - 1);
      if (length(bar.limit) > end && length(bar.limit) < end + kBarTextWidth) end = length(bar.limit);
    }
    content += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text>\n", kBarLabelWidth + end + 6, top + 14,
                           markup_value(bar.text));
    top += kBarRow;
  }
  return svg(title, kBarsWidth, top, content);
}

std::string share_bar(double ratio) {
  constexpr double kShareWidth = 340;
  constexpr double kShareHeight = 14;
  const double filled = std::clamp(ratio, 0.0, 1.0) * kShareWidth;
  return svg(fmt::format("{:.1f} %", ratio * 100), kShareWidth, kShareHeight,
             fmt::format("<rect class=\"empty\" x=\"0\" y=\"0\" width=\"{0}\" height=\"{1}\"/><rect class=\"full\" "
                         "x=\"0\" y=\"0\" width=\"{2:.1f}\" height=\"{1}\"/>\n",
                         kShareWidth, kShareHeight, filled));
}

}  // namespace drs
