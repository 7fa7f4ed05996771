// Charts as inline SVG: no script, no style of their own beyond classes, drawn from numbers alone. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/output/evidence.h"

namespace drs {

struct ChartPoint {
  double seconds = 0;  // since 1970
  double value = 0;    // not negative
};

// One quantity over time. Panels of a chart stand above each other and share the axis of time.
struct ChartPanel {
  enum class Form : std::uint8_t { kLine, kBars };
  std::string title;  // "size"
  Form form = Form::kLine;
  std::vector<ChartPoint> points;  // by time
  double value_max = 0;            // where the scale ends; 0: at the largest value
  std::function<std::string(double)> text_of;
};

// `title`: what a screen reader says. At most kChartPointsMax of each panel are drawn, the last ones.
inline constexpr std::size_t kChartPointsMax = 400;
std::string time_chart(const std::string& title, const std::vector<ChartPanel>& panels);

struct ChartBar {
  std::string label;
  double value = 0;
  double limit = 0;  // a mark on the bar's way; 0: none
  std::string text;  // beside the bar
  Verdict verdict = Verdict::kGood;
};
// Horizontal bars, one below the other, on one scale.
std::string bar_chart(const std::string& title, const std::vector<ChartBar>& bars);

// A bar that is filled to `ratio`, from 0 to 1.
std::string share_bar(double ratio);

}  // namespace drs
