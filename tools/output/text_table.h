// Columns of text, aligned. For people; machines read --json.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace drs {

class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    // Where a table is too wide its columns are left out, the one with the highest number first; never those with 0.
    int left_out = 0;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as there are columns.
  void add_row(std::vector<std::string> cells);
  // Title line and rows, each with a line feed; no blanks at the ends of lines.
  [[nodiscard]] std::string text(std::size_t columns_max = std::numeric_limits<std::size_t>::max()) const;

 private:
  // Of each column; 0: left out.
  [[nodiscard]] std::vector<std::size_t> widths(std::size_t columns_max) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace drs
