#include "tools/output/text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/result.h"
#include "tools/output/printable.h"

namespace drs {
namespace {

constexpr std::string_view kGap = "  ";

}  // namespace

void TextTable::add_row(std::vector<std::string> cells) {
  DRS_ASSERT(cells.size() == columns_.size(), "a row has one cell for each column");
  for (std::string& cell : cells) cell = printable_value(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::widths(std::size_t columns_max) const {
  std::vector<std::size_t> widths;
  std::size_t whole = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(columns_[i].title.size());
    for (const auto& row : rows_) widths.back() = std::max(widths.back(), row[i].size());
    whole += widths.back() + (i > 0 ? kGap.size() : 0);
  }
  while (whole > columns_max) {
    const auto next = std::ranges::max_element(columns_, {}, [&](const Column& column) {
      return widths[static_cast<std::size_t>(&column - columns_.data())] == 0 ? 0 : column.left_out;
    });
    const auto i = static_cast<std::size_t>(next - columns_.begin());
    if (next->left_out == 0 || widths[i] == 0) break;
    whole -= widths[i] + kGap.size();
    widths[i] = 0;
  }
  return widths;
}

std::string TextTable::text(std::size_t columns_max) const {
  const std::vector<std::size_t> widths = this->widths(columns_max);
  std::string out;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!line.empty()) line += kGap;
      line += columns_[i].align == Align::kRight ? fmt::format("{:>{}}", cell_of(i), widths[i])
                                                 : fmt::format("{:<{}}", cell_of(i), widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  add_line([&](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return out;
}

}  // namespace drs
