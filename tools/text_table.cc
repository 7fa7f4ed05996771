#include "tools/text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/result.h"
#include "tools/printable.h"

namespace drs {

void TextTable::add_row(std::vector<std::string> cells) {
  DRS_ASSERT(cells.size() == columns_.size(), "a row has one cell for each column");
  for (std::string& cell : cells) cell = printable_value(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(columns_[i].title.size());
    for (const auto& row : rows_) widths.back() = std::max(widths.back(), row[i].size());
  }
  std::string out;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
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
