#include "tools/progress.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "io/pipe.h"

namespace drs {
namespace {

TEST(Progress, TextShowsShareTimeLeftNewShareAndRatioWhereKnown) {
  ProgressSnapshot now;
  now.bytes = std::uint64_t{1} << 30;
  now.bytes_per_second = 512.0 * (1 << 20);
  EXPECT_EQ(progress_text("pull", now), "pull 1 GiB  512 MiB/s");
  now.total_bytes = std::uint64_t{4} << 30;
  now.new_bytes = now.bytes / 4;
  now.stored_bytes = now.bytes / 16;
  EXPECT_EQ(progress_text("push", now), "push 1 GiB of 4 GiB  25 %  512 MiB/s  new 25 %  ratio 16.0  6.0 s left");
  now.problems = 2;
  EXPECT_EQ(progress_text("verify", now), "verify 1 GiB of 4 GiB  25 %  512 MiB/s  2 problems  6.0 s left");
}

TEST(Progress, AWrongSizeHintNeverShowsMoreThanAll) {
  ProgressSnapshot now;
  now.bytes = 200;
  now.total_bytes = 100;
  EXPECT_EQ(progress_text("push", now), "push 200 B of 100 B  100 %  0 B/s  new 0 %");
}

TEST(Progress, TellsHowMuchOfASpoolIsStored) {
  ProgressSnapshot now;
  now.bytes = std::uint64_t{1} << 30;
  now.spooled_objects = 40;
  now.uploaded_objects = 12;
  EXPECT_EQ(progress_text("push", now), "push 1 GiB  0 B/s  new 0 %  uploaded 12 of 40");
  now.spool_is_complete = true;
  EXPECT_EQ(progress_text("push", now), "push 1 GiB  spooled, uploading 12 of 40");
  EXPECT_EQ(progress_text("resume", now), "resume  uploading 12 of 40");
  EXPECT_EQ(nlohmann::json::parse(progress_json("push", now))["spooled_objects"], 40);
}

TEST(Progress, JsonIsOneLineWithItsSchema) {
  ProgressSnapshot now;
  now.bytes = 100;
  now.total_bytes = 400;
  now.bytes_per_second = 100;
  const std::string line = progress_json("push", now);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["schema"], "drstream.progress/1");
  EXPECT_EQ(json["verb"], "push");
  EXPECT_EQ(json["bytes"], 100);
  EXPECT_EQ(json["total_bytes"], 400);
  EXPECT_EQ(json["seconds_left"], 3.0);
}

TEST(Progress, TheReporterWritesALastLineWithTheFinalCounts) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe.ok());
  Console console(STDERR_FILENO);
  const SystemClock clock;
  ProgressCounters counters;
  {
    const ProgressReporter reporter({"push", false, pipe->write_end.get(), std::nullopt}, counters, console, clock);
    counters.bytes = 12345;
  }
  pipe->write_end = Fd();
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(pipe->read_end.get(), buffer.data(), buffer.size());
  ASSERT_GT(got, 0);
  std::string lines(buffer.data(), static_cast<std::size_t>(got));
  lines.pop_back();
  const auto last = nlohmann::json::parse(lines.substr(lines.rfind('\n') + 1));
  EXPECT_EQ(last["bytes"], 12345);
}

TEST(Progress, OfSeveralThatReadTheSameBytesTheFurthestIsShown) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe.ok());
  Console console(STDERR_FILENO);
  const SystemClock clock;
  std::array<ProgressCounters, 2> counters;
  {
    const ProgressReporter reporter({"push", false, pipe->write_end.get(), std::nullopt}, counters, console, clock);
    counters[0].bytes = 300;
    counters[1].bytes = 200;
    counters[1].new_bytes = 100;
  }
  pipe->write_end = Fd();
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(pipe->read_end.get(), buffer.data(), buffer.size());
  ASSERT_GT(got, 0);
  std::string lines(buffer.data(), static_cast<std::size_t>(got));
  lines.pop_back();
  const auto last = nlohmann::json::parse(lines.substr(lines.rfind('\n') + 1));
  EXPECT_EQ(last["bytes"], 300);
  EXPECT_EQ(last["new_bytes"], 100);
}

TEST(Progress, AReaderThatGoesAwayDoesNoHarm) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe.ok());
  ASSERT_NE(::signal(SIGPIPE, SIG_IGN), SIG_ERR);  // as main does
  pipe->read_end = Fd();
  Console console(STDERR_FILENO);
  const SystemClock clock;
  const ProgressCounters counters;
  const ProgressReporter reporter({"push", false, pipe->write_end.get(), std::nullopt}, counters, console, clock);
}

}  // namespace
}  // namespace drs
