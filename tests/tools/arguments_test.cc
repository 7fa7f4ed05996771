#include "tools/arguments.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

using Words = std::vector<std::string>;

TEST(Arguments, EverythingBehindTheFirstMarkIsTheChilds) {
  const char* const argv[] = {"drstream", "push", "pg/app", "--exec", "--", "sh", "-c", "--", "x"};
  const Arguments arguments = split_arguments(9, argv);
  EXPECT_EQ(arguments.own, (Words{"push", "pg/app", "--exec"}));
  EXPECT_EQ(arguments.child, (Words{"sh", "-c", "--", "x"}));
  EXPECT_TRUE(arguments.has_mark);
}

TEST(Arguments, WithoutAMarkAllIsOurs) {
  const char* const argv[] = {"drstream", "list", "-q"};
  const Arguments arguments = split_arguments(3, argv);
  EXPECT_EQ(arguments.own, (Words{"list", "-q"}));
  EXPECT_FALSE(arguments.has_mark);
}

}  // namespace
}  // namespace drs
