#include "tools/output/wrapped_lines.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(WrappedLines, BreaksBetweenWordsAndIndentsWhatContinues) {
  EXPECT_EQ(
      wrapped_lines("drstream pull: error: no stream 'pg/ap'; nearest streams: pg/app\n  consequence: nothing\n", 40),
      "drstream pull: error: no stream 'pg/ap';\n"
      "  nearest streams: pg/app\n"
      "  consequence: nothing\n");
  EXPECT_EQ(wrapped_lines("  next step: `drstream list` shows the streams that are there", 40),
            "  next step: `drstream list` shows the\n    streams that are there");
}

TEST(WrappedLines, LeavesLinesThatFitAndTextWithoutALineFeedAtItsEnd) {
  const std::string fits(40, 'x');
  EXPECT_EQ(wrapped_lines(fits + "\n\n" + fits, 40), fits + "\n\n" + fits);
  EXPECT_EQ(wrapped_lines("", 40), "");
  EXPECT_EQ(wrapped_lines("\n", 40), "\n");
}

TEST(WrappedLines, ContinuesARowBelowItsLastColumn) {
  EXPECT_EQ(wrapped_lines("ok      io        io_uring works, and registers buffers", 40),
            "ok      io        io_uring works, and\n"
            "                  registers buffers");
  EXPECT_EQ(wrapped_lines("damage: a gap far to the right of the middle  is no column of the row", 40),
            "damage: a gap far to the right of the\n  middle  is no column of the row");
}

TEST(WrappedLines, KeepsAWordWholeThatNoLineHolds) {
  const std::string name = "packs/20/" + std::string(64, 'a');
  EXPECT_EQ(wrapped_lines("damage: " + name + ": its digest differs", 40),
            "damage:\n  " + name + ":\n  its digest differs");
  EXPECT_EQ(wrapped_lines(name, 40), name);
  EXPECT_EQ(wrapped_lines("  " + name, 40), "  " + name);
}

TEST(WrappedLines, CountsCodePointsNotBytes) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "ö ";
  text += "x";
  EXPECT_EQ(text_columns(text), 41U);
  EXPECT_EQ(wrapped_lines(text, 41), text);
  EXPECT_EQ(wrapped_lines(text, 40), text.substr(0, text.size() - 2) + "\n  x");
}

TEST(WrappedLines, BreaksNothingInAVeryNarrowTerminal) {
  const std::string text = "several words that are wider than a strip";
  EXPECT_EQ(wrapped_lines(text, 39), text);
  EXPECT_EQ(wrapped_lines(text, 0), text);
}

}  // namespace
}  // namespace drs
