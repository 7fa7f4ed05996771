#include "tools/output/svg_chart.h"

#include <gtest/gtest.h>

#include <cmath>

namespace drs {
namespace {

std::string number_text(double value) {
  return std::to_string(static_cast<int>(value));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(TimeChart, SpansTheTimesAndScalesToTheLargestValue) {
  const ChartPanel panel{"Size", ChartPanel::Form::kLine, {{0, 0}, {86400, 10}, {2 * 86400, 5}}, 0, number_text};
  const std::string chart = time_chart("a & b", {panel});
  EXPECT_TRUE(has(chart, "aria-label=\"a &amp; b\""));
  EXPECT_TRUE(has(chart, "Size: last 5, scale to 10"));
  EXPECT_TRUE(has(chart, ">1970-01-01<") && has(chart, ">1970-01-03<"));
  // From the left margin at the floor to the middle at the top, to the right at half the height.
  EXPECT_TRUE(has(chart, "<polyline points=\"6.0,72.0 170.0,24.0 334.0,48.0 \"/>")) << chart;
}

TEST(TimeChart, OneTimeAndOnlyZerosAreDrawn) {
  const std::string one = time_chart("x", {{"Stored", ChartPanel::Form::kBars, {{5, 0}}, 0, number_text}});
  EXPECT_EQ(count_of(one, "<rect"), 1U);
  EXPECT_EQ(count_of(one, ">1970-01-01<"), 1U) << "the same day is not written twice";
  EXPECT_FALSE(has(one, "nan") || has(one, "inf"));
  EXPECT_FALSE(has(time_chart("x", {}), "nan"));
}

TEST(TimeChart, DrawsTheLastPointsOfALongSeries) {
  ChartPanel panel{"Size", ChartPanel::Form::kLine, {}, 0, number_text};
  for (int i = 0; i < 1000; ++i) panel.points.push_back({i * 86400.0, static_cast<double>(i)});
  const std::string chart = time_chart("x", {panel});
  EXPECT_EQ(count_of(chart, "<circle"), kChartPointsMax);
  EXPECT_TRUE(has(chart, "last 999"));
}

TEST(BarChart, BarsShareAScaleAndShowTheirLimits) {
  const std::string chart =
      bar_chart("Ages", {{"a<b", 50, 100, "50 s", Verdict::kGood}, {"c", 200, 0, "200 s", Verdict::kBad}});
  EXPECT_TRUE(has(chart, "a&lt;b"));
  EXPECT_TRUE(has(chart, "class=\"good\" x=\"210\" y=\"4\" width=\"90.0\"")) << chart;
  EXPECT_TRUE(has(chart, "class=\"bad\" x=\"210\" y=\"24\" width=\"360.0\""));
  EXPECT_EQ(count_of(chart, "class=\"limit\""), 1U);
  EXPECT_TRUE(has(chart, "x1=\"390.0\""));
}

TEST(ShareBar, StaysWithinItsBounds) {
  EXPECT_TRUE(has(share_bar(0.25), "width=\"85.0\""));
  EXPECT_TRUE(has(share_bar(7), "class=\"full\" x=\"0\" y=\"0\" width=\"340.0\""));
  EXPECT_TRUE(has(share_bar(-1), "class=\"full\" x=\"0\" y=\"0\" width=\"0.0\""));
}

}  // namespace
}  // namespace drs
