#include "tools/text_table.h"

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

}  // namespace
}  // namespace drs
