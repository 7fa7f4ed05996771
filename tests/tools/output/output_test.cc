#include "tools/output/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "io/pipe.h"
#include "tools/output/log.h"

namespace drs {
namespace {

// A pipe that stands for stdout or stderr.
class Captured {
 public:
  Captured() : pipe_(*make_pipe()) {}
  [[nodiscard]] int fd() const { return pipe_.write_end.get(); }
  // What is there now: a console may hold the pipe open.
  std::string text() {
    pipe_.write_end = Fd();
    EXPECT_TRUE(set_nonblocking(pipe_.read_end.get()).ok());
    std::string out;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(pipe_.read_end.get(), buffer.data(), buffer.size())) > 0;)
      out.append(buffer.data(), static_cast<std::size_t>(got));
    return out;
  }
  void close_reader() { pipe_.read_end = Fd(); }

 private:
  Pipe pipe_;
};

TEST(Output, TextAndRemarksGoToStdout) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = false, .quiet = false, .stdout_fd = out.fd()}, console);
  output.text("one");
  output.remark("two\n");
  output.document("drstream.x/1", {{"a", 1}});
  EXPECT_EQ(out.text(), "one\ntwo\n");
  EXPECT_EQ(err.text(), "");
}

TEST(Output, KeepsTheDocumentWhereItWasAskedToAlsoWithoutJson) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = false, .quiet = false, .stdout_fd = out.fd()}, console);
  output.document("drstream.x/1", {{"a", 1}});
  EXPECT_TRUE(output.kept_document().is_null());
  EXPECT_FALSE(output.wrote_document());
  output.keep_document();
  output.append("c", 3);
  output.document("drstream.x/1", 4, {{"a", 1}});
  EXPECT_EQ(output.kept_document().dump(), R"({"schema":"drstream.x/1","exit_code":4,"a":1,"c":3})");
  EXPECT_TRUE(output.wrote_document());
  output.record("drstream.y/1", 0, {{"b", 2}});
  EXPECT_EQ(output.kept_document()["schema"], "drstream.y/1");
  EXPECT_EQ(out.text(), "");
}

TEST(Output, QuietTakesRemarksAwayAndLeavesAnswers) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = false, .quiet = true, .stdout_fd = out.fd()}, console);
  output.text("one");
  output.remark("two");
  EXPECT_EQ(out.text(), "one\n");
}

TEST(Output, WhatIsAppendedStandsLastInTheDocument) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = true, .quiet = false, .stdout_fd = out.fd()}, console);
  output.append("others", nlohmann::ordered_json::array({1}));
  output.document("drstream.x/1", {{"a", 1}});
  EXPECT_EQ(nlohmann::ordered_json::parse(out.text()).dump(), R"({"schema":"drstream.x/1","a":1,"others":[1]})");
}

TEST(Output, JsonIsOneDocumentWithItsSchemaFirst) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = true, .quiet = true, .stdout_fd = out.fd()}, console);
  output.text("one");
  output.document("drstream.x/1", {{"b", 1}, {"a", "\xFF not UTF-8"}});
  const std::string text = out.text();
  EXPECT_LT(text.find("schema"), text.find("\"b\""));
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["schema"], "drstream.x/1");
  EXPECT_EQ(json["b"], 1);
}

TEST(Output, AnswersGoToStderrWhereStdoutIsTheStream) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = true, .quiet = false, .stdout_fd = out.fd()}, console);
  output.yield_stdout();
  output.document("drstream.x/1", {{"b", 1}});
  EXPECT_EQ(out.text(), "");
  EXPECT_EQ(nlohmann::json::parse(err.text())["b"], 1);
}

TEST(Output, RemembersThatStdoutCouldNotBeWritten) {
  Captured err;
  Console console(err.fd());
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Output output({.json = false, .quiet = false, .stdout_fd = full.get()}, console);
  EXPECT_FALSE(output.failure().has_value());
  output.text("x");
  ASSERT_TRUE(output.failure().has_value());
  EXPECT_EQ(output.failure()->code, ErrorCode::kNoSpace);
}

TEST(Log, TextLinesNameTheirLevelUnlessItIsInfo) {
  Captured err;
  Console console(err.fd());
  const auto log = make_logger(console, {});
  log->info("a {}", 1);
  log->warn("b");
  log->debug("c");
  EXPECT_EQ(err.text(), "drstream: a 1\ndrstream: warning: b\n");
}

TEST(Log, QuietLeavesWarningsAndVerboseAddsMore) {
  Captured quiet;
  Captured verbose;
  Console quiet_console(quiet.fd());
  Console verbose_console(verbose.fd());
  const auto quiet_log = make_logger(quiet_console, {.quiet = true});
  const auto verbose_log = make_logger(verbose_console, {.verbosity = 1});
  for (const auto& log : {quiet_log, verbose_log}) {
    log->info("info");
    log->debug("debug");
    log->warn("warn");
  }
  EXPECT_EQ(quiet.text(), "drstream: warning: warn\n");
  EXPECT_EQ(verbose.text(), "drstream: info\ndrstream: debug: debug\ndrstream: warning: warn\n");
}

TEST(Log, JsonLinesAreOneObjectEach) {
  Captured err;
  Console console(err.fd());
  const auto log = make_logger(console, {.format = LogFormat::kJson});
  log->warn("two\nlines");
  const std::string text = err.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["level"], "warning");
  EXPECT_EQ(json["message"], "two\nlines");
  EXPECT_TRUE(json.contains("time"));
}

TEST(Output, WithoutATerminalNothingIsColoured) {
  Captured out;
  Captured err;
  Console console(err.fd());
  Output output({.json = false, .quiet = false, .stdout_fd = out.fd()}, console);
  EXPECT_FALSE(output.on_terminal());
  output.text("DAMAGE", Tone::kError);
  console.write_lines("error", Tone::kError);
  EXPECT_EQ(out.text(), "DAMAGE\n");
  EXPECT_EQ(err.text(), "error\n");
}

TEST(TerminalStyle, ATonePaintsTheFirstLineAlone) {
  const TerminalStyle painted{.is_terminal = true, .knows_escapes = true, .colours = true};
  EXPECT_EQ(lines_for(painted, 80, "a\n  b\n", Tone::kError), "\x1b[31ma\x1b[0m\n  b\n");
  EXPECT_EQ(lines_for(painted, 80, "a", Tone::kWarning), "\x1b[33ma\x1b[0m");
  EXPECT_EQ(lines_for(painted, 80, "a", Tone::kPlain), "a");
  EXPECT_EQ(lines_for({.is_terminal = true, .knows_escapes = true}, 80, "a", Tone::kError), "a");
}

TEST(TerminalStyle, LongLinesAreWrappedOnATerminalAndTheToneStaysWithTheFirst) {
  const TerminalStyle painted{.is_terminal = true, .knows_escapes = true, .colours = true};
  const std::string text = "error: " + std::string(32, 'x') + " y\n  next step: " + std::string(30, 'z') + "\n";
  EXPECT_EQ(
      lines_for(painted, 40, text, Tone::kError),
      "\x1b[31merror: " + std::string(32, 'x') + "\n  y\x1b[0m\n  next step:\n    " + std::string(30, 'z') + "\n");
  EXPECT_EQ(lines_for(painted, 40, text, Tone::kVerbatim), text);
  EXPECT_EQ(lines_for({}, 40, text, Tone::kError), text);
}

TEST(Console, WithoutATerminalEachStatusIsALine) {
  Captured err;
  Console console(err.fd());
  console.status("10 %");
  console.write_lines("log");
  console.end_status();
  EXPECT_EQ(err.text(), "10 %\nlog\n");
}

}  // namespace
}  // namespace drs
