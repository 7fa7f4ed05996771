#include "tools/output/progress.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "io/pipe.h"

namespace drs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWide = 200;
constexpr double kMiBPerSecond = 1 << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

TEST(Progress, TextShowsShareTimeLeftAndWhatIsStoredWhereKnown) {
  ProgressSnapshot now;
  now.bytes = kGiB;
  now.bytes_per_second = 512 * kMiBPerSecond;
  now.elapsed = 2s;
  EXPECT_EQ(progress_text("pull", now, kWide), "pull 1 GiB  512 MiB/s  elapsed 2.0 s");
  now.total_bytes = 4 * kGiB;
  EXPECT_EQ(progress_text("verify", now, kWide), "verify 1 GiB of 4 GiB  25 %  512 MiB/s  6.0 s left  elapsed 2.0 s");
  now.problems = 2;
  EXPECT_EQ(progress_text("verify", now, kWide),
            "verify 1 GiB of 4 GiB  25 %  512 MiB/s  2 problems  6.0 s left  elapsed 2.0 s");
}

TEST(Progress, TopicsAreCountedAndThoseInWorkAreToldWithTheirTimeLeft) {
  ProgressSnapshot now;
  now.bytes = kGiB;
  now.total_bytes = 4 * kGiB;
  now.bytes_per_second = 512 * kMiBPerSecond;
  now.parts = {{"done", kGiB, kGiB, 0}, {"half", 2000, 4000, 500}, {"still", 1, 2, 0}, {"later", 0, 5, 0}};
  EXPECT_EQ(progress_text("kafka restore", now, kWide),
            "kafka restore 1 GiB of 4 GiB  25 %  512 MiB/s  1 of 4 topics  6.0 s left  elapsed 0.0 s");
  const auto line = nlohmann::json::parse(progress_json("kafka restore", now));
  EXPECT_EQ(line["topics_total"], 4);
  EXPECT_EQ(line["topics_done"], 1);
  EXPECT_EQ(line["topics"], nlohmann::json::parse(R"([
    {"topic": "half", "bytes": 2000, "total_bytes": 4000, "remaining_seconds": 4.0},
    {"topic": "still", "bytes": 1, "total_bytes": 2}])"));
}

TEST(Progress, AGuessedSizeIsShownAsSuchAndNoMoreOnceItWasWrong) {
  ProgressSnapshot now;
  now.bytes = kGiB;
  now.bytes_per_second = 512 * kMiBPerSecond;
  now.total_bytes = 4 * kGiB;
  now.total_is_guess = true;
  now.new_bytes = kGiB / 4;
  now.stored_bytes = kGiB / 16;
  EXPECT_EQ(progress_text("push", now, kWide),
            "push 1 GiB of about 4 GiB  25 %  512 MiB/s  about 6.0 s left  elapsed 0.0 s  stored 64 MiB  new 25 %");
  now.bytes = 5 * kGiB;
  EXPECT_EQ(progress_text("push", now, kWide), "push 5 GiB  512 MiB/s  elapsed 0.0 s  stored 64 MiB  new 5 %");
}

TEST(Progress, WhatDoesNotFitTheTerminalIsLeftOutAndNothingIsCut) {
  ProgressSnapshot now;
  now.bytes = 978'000'000;
  now.bytes_per_second = 308 * kMiBPerSecond;
  now.total_bytes = 1'290'000'000;
  now.total_is_guess = true;
  now.elapsed = 3.1s;
  now.new_bytes = now.bytes / 3;
  now.stored_bytes = now.bytes / 10;
  const std::string whole = progress_text("push", now, kWide);
  EXPECT_EQ(progress_text("push", now, 79), "push 932.7 MiB of about 1.2 GiB  75.8 %  308 MiB/s  about 1.0 s left");
  EXPECT_EQ(progress_text("push", now, 49), "push 932.7 MiB of about 1.2 GiB  75.8 %");
  for (std::size_t columns = 40; columns < whole.size(); ++columns)
    EXPECT_LE(progress_text("push", now, columns).size(), columns);
}

TEST(Progress, AProducerThatGivesNothingIsNamed) {
  ProgressSnapshot now;
  now.bytes = 1 << 20;
  now.idle = 4s;
  now.elapsed = 10s;
  EXPECT_EQ(progress_text("push", now, kWide),
            "push 1 MiB  waiting for the producer  elapsed 10 s  stored 0 B  new 0 %");
  now.idle = 1s;
  EXPECT_EQ(progress_text("push", now, kWide), "push 1 MiB  0 B/s  elapsed 10 s  stored 0 B  new 0 %");
}

TEST(Progress, TheRateIsThatOfTheLastSeconds) {
  const RecentRate::Time start{std::chrono::hours(1)};
  RecentRate rate(start);
  EXPECT_EQ(rate.bytes_per_second(), 0);
  std::uint64_t bytes = 0;
  for (int quarter = 1; quarter <= 400; ++quarter) {
    bytes += quarter <= 360 ? 1'000'000 : 1'000;
    rate.add(start + quarter * std::chrono::milliseconds(250), bytes);
  }
  EXPECT_NEAR(rate.bytes_per_second(), 4'000, 1);  // not the 36 MB/s of the whole time
}

TEST(Progress, TellsHowMuchOfASpoolIsStored) {
  ProgressSnapshot now;
  now.bytes = kGiB;
  now.spooled_objects = 40;
  now.uploaded_objects = 12;
  EXPECT_EQ(progress_text("push", now, kWide),
            "push 1 GiB  0 B/s  elapsed 0.0 s  uploaded 12 of 40  stored 0 B  new 0 %");
  now.spool_is_complete = true;
  EXPECT_EQ(progress_text("push", now, kWide), "push 1 GiB  spooled, uploading 12 of 40  elapsed 0.0 s");
  EXPECT_EQ(progress_text("resume", now, kWide), "resume  uploading 12 of 40  elapsed 0.0 s");
  EXPECT_EQ(nlohmann::json::parse(progress_json("push", now))["objects_spooled"], 40);
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
  EXPECT_EQ(json["command"], "push");
  EXPECT_EQ(json["bytes"], 100);
  EXPECT_EQ(json["total_bytes"], 400);
  EXPECT_EQ(json["total_is_guess"], false);
  EXPECT_EQ(json["idle_seconds"], 0.0);
  EXPECT_EQ(json["remaining_seconds"], 3.0);
}

ProgressOptions json_lines(const Pipe& pipe) {
  ProgressOptions options;
  options.command = "push";
  options.fd = pipe.write_end.get();
  return options;
}

// The last line that was written to the pipe.
nlohmann::json last_line(const Pipe& pipe) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(pipe.read_end.get(), buffer.data(), buffer.size());
  std::string lines(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (lines.ends_with('\n')) lines.pop_back();
  return nlohmann::json::parse(lines.substr(lines.rfind('\n') + 1), nullptr, false);
}

TEST(Progress, WhatTheLastSnapshotHadIsAGuessUnlessTheSizeIsKnown) {
  for (const bool known : {false, true}) {
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe.ok());
    Console console(STDERR_FILENO);
    const SystemClock clock;
    ProgressCounters counters;
    counters.guessed_bytes = 500;
    ProgressOptions options = json_lines(*pipe);
    if (known) options.size_bytes = 400;
    { const ProgressReporter reporter(options, counters, console, clock); }
    const auto json = last_line(*pipe);
    EXPECT_EQ(json["total_bytes"], known ? 400 : 500);
    EXPECT_EQ(json["total_is_guess"], !known);
  }
}

TEST(Progress, TheReporterWritesALastLineWithTheFinalCounts) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe.ok());
  Console console(STDERR_FILENO);
  const SystemClock clock;
  ProgressCounters counters;
  {
    const ProgressReporter reporter(json_lines(*pipe), counters, console, clock);
    counters.bytes = 12345;
  }
  const auto last = last_line(*pipe);
  EXPECT_EQ(last["bytes"], 12345);
}

TEST(Progress, OfSeveralThatReadTheSameBytesTheFurthestIsShown) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe.ok());
  Console console(STDERR_FILENO);
  const SystemClock clock;
  std::array<ProgressCounters, 2> counters;
  {
    const ProgressReporter reporter(json_lines(*pipe), counters, console, clock);
    counters[0].bytes = 300;
    counters[1].bytes = 200;
    counters[1].new_bytes = 100;
  }
  const auto last = last_line(*pipe);
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
  const ProgressReporter reporter(json_lines(*pipe), counters, console, clock);
}

}  // namespace
}  // namespace drs
