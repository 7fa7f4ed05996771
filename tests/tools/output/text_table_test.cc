#include "tools/output/text_table.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(TextTable, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  TextTable table({{"NAME"}, {"SIZE", TextTable::Align::kRight}, {"TAGS"}});
  table.add_row({"a", "12 MiB", ""});
  table.add_row({"longer", "1 B", "x=1"});
  EXPECT_EQ(table.text(),
            "NAME      SIZE  TAGS\n"
            "a       12 MiB\n"
            "longer     1 B  x=1\n");
}

TEST(TextTable, LeavesColumnsOutUntilItFits) {
  TextTable table({{"NAME"}, {"NEW", TextTable::Align::kRight, 2}, {"SIZE", TextTable::Align::kRight}, {"BY", {}, 1}});
  table.add_row({"a", "1234", "12345678", "exit 0"});
  EXPECT_EQ(table.text(28), "NAME   NEW      SIZE  BY\na     1234  12345678  exit 0\n");
  EXPECT_EQ(table.text(27), "NAME      SIZE  BY\na     12345678  exit 0\n");
  EXPECT_EQ(table.text(22), "NAME      SIZE  BY\na     12345678  exit 0\n");
  EXPECT_EQ(table.text(21), "NAME      SIZE\na     12345678\n");
  EXPECT_EQ(table.text(1), "NAME      SIZE\na     12345678\n");
}

}  // namespace
}  // namespace drs
