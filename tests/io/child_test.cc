#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "io/child_sink.h"
#include "io/child_source.h"
#include "tests/io/read_source.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::read_to_end;
using testing::HasSubstr;

class ChildTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = std::signal(SIGPIPE, SIG_IGN);  // as main does
    log_ = Fd(::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  void TearDown() override {
    std::signal(SIGPIPE, before_);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
  }

  [[nodiscard]] ChildOptions shell(const std::string& script) const {
    ChildOptions options;
    options.argv = {"/bin/sh", "-c", script};
    options.stderr_to = log_.get();
    return options;
  }
  std::unique_ptr<Source> source(const ChildOptions& options) {
    auto made = make_child_source(options, seconds(1));
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
  std::unique_ptr<ConsumerSink> sink(const ChildOptions& options, bool may_stop = false) {
    auto made = make_child_sink({.child = options, .may_stop = may_stop});
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
  Result<Bytes> read(Source& from) { return read_to_end(from, buffers_, buffers_.size()); }
  [[nodiscard]] std::string log() const { return std::string(as_text(test::read_whole_file(log_path_))); }

  test::TemporaryDirectory directory_;
  const std::string log_path_ = directory_.file("stderr");
  Fd log_{-1};
  Bytes buffers_ = Bytes(256 * kKiB);
  void (*before_)(int) = nullptr;
};

using ChildSourceTest = ChildTest;
using ChildSinkTest = ChildTest;

TEST_F(ChildSourceTest, ExitStatusZeroProvesTheEnd) {
  const auto from = source(shell("echo warning >&2; printf hello"));
  const auto seen = read(*from);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(as_text(*seen), "hello");
  const auto proof = from->conclude();
  ASSERT_TRUE(proof.ok()) << proof.error().message;
  EXPECT_EQ(proof->kind, ProducerProof::Kind::kExitStatus);
  EXPECT_EQ(proof->exit_status, 0);
  EXPECT_EQ(proof->stderr_tail, "warning\n");
  EXPECT_THAT(proof->command, HasSubstr("printf hello"));
  EXPECT_EQ(log(), "warning\n");
}

TEST_F(ChildSourceTest, ManyBytesArriveWhole) {
  const auto from = source(shell("head -c 5000000 /dev/zero | tr '\\0' x"));
  const auto seen = read(*from);
  ASSERT_TRUE(seen.ok());
  EXPECT_TRUE(*seen == Bytes(5'000'000, 'x'));
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, AFailedCommandIsNoBackupHoweverWellItsOutputEnds) {
  const auto from = source(shell("printf hello; echo 'out of memory' >&2; exit 7"));
  EXPECT_TRUE(read(*from).ok());
  const auto proof = from->conclude();
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::kSource);
  EXPECT_THAT(proof.error().message, HasSubstr("exited with status 7"));
  EXPECT_THAT(proof.error().message, HasSubstr("out of memory"));
}

TEST_F(ChildSourceTest, ACommandKilledBySignalIsNamedSo) {
  const auto from = source(shell("printf hello; kill -SEGV $$"));
  EXPECT_TRUE(read(*from).ok());
  const auto proof = from->conclude();
  ASSERT_FALSE(proof.ok());
  EXPECT_THAT(proof.error().message, HasSubstr("killed by signal 11"));
}

TEST_F(ChildSourceTest, AMissingCommandIsTheOperatorsError) {
  ChildOptions options;
  options.argv = {"pg_dumpp-that-is-not-there"};
  const auto made = make_child_source(options);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kUsage);
  EXPECT_EQ(made.error().message, "cannot run 'pg_dumpp-that-is-not-there': No such file or directory");
  options.argv = {directory_.path()};
  EXPECT_EQ(make_child_source(options).error().code, ErrorCode::kUsage);
  options.argv = {};
  EXPECT_EQ(make_child_source(options).error().code, ErrorCode::kUsage);
}

TEST_F(ChildSourceTest, ArgumentsPassThroughNoShell) {
  ChildOptions options;
  options.argv = {"printf", "%s|", "$HOME", "a b", "*"};
  const auto from = source(options);
  EXPECT_EQ(as_text(*read(*from)), "$HOME|a b|*|");
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, KeysAreTakenOutOfTheEnvironment) {
  ASSERT_EQ(::setenv("DRS_TEST_KEY", "secret", 1), 0);
  ASSERT_EQ(::setenv("DRS_TEST_KEEP", "kept", 1), 0);
  ChildOptions options = shell("env");
  options.environment_remove = {"DRS_TEST_KEY"};
  const auto from = source(options);
  const auto seen = read(*from);
  ASSERT_TRUE(seen.ok());
  EXPECT_THAT(std::string(as_text(*seen)), HasSubstr("DRS_TEST_KEEP=kept"));
  EXPECT_THAT(std::string(as_text(*seen)), testing::Not(HasSubstr("DRS_TEST_KEY")));
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, InheritsNoDescriptorsAndNoSignalSettings) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // like a library that omits O_CLOEXEC
  const auto from = source(shell("ls /proc/self/fd; grep -E 'SigBlk|SigIgn' /proc/self/status"));
  const auto seen = read(*from);
  ::close(leaked);
  ASSERT_TRUE(seen.ok());
  const std::string text(as_text(*seen));
  // 3 is the directory that ls itself opened.
  EXPECT_THAT(text, testing::StartsWith("0\n1\n2\n3\nSig"));
  EXPECT_THAT(text, HasSubstr("SigBlk:\t0000000000000000"));
  const std::uint64_t ignored = std::stoull(text.substr(text.find("SigIgn:") + 7), nullptr, 16);
  EXPECT_EQ(ignored >> (SIGPIPE - 1) & 1, 0U);
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, LeadsASessionOfItsOwnAndReadsNothingOfOurs) {
  const auto from = source(shell("ps -o sid= -p $$; echo $$; cat"));
  const auto seen = read(*from);
  ASSERT_TRUE(seen.ok());
  std::string sid(as_text(*seen));
  sid.erase(0, sid.find_first_not_of(' '));
  EXPECT_EQ(std::stoi(sid), std::stoi(sid.substr(sid.find('\n'))));
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, MuchStderrNeitherBlocksNorIsLost) {
  const auto from = source(shell("i=0; while [ $i -lt 20000 ]; do echo \"line $i\" >&2; i=$((i+1)); done; printf x"));
  EXPECT_TRUE(read(*from).ok());
  const auto proof = from->conclude();
  ASSERT_TRUE(proof.ok());
  EXPECT_EQ(proof->stderr_tail.size(), StderrTap::kTailBytesMax);
  EXPECT_THAT(proof->stderr_tail, testing::EndsWith("line 19999\n"));
  const std::string passed_on = log();
  EXPECT_EQ(std::count(passed_on.begin(), passed_on.end(), '\n'), 20'000);
}

TEST_F(ChildSourceTest, StderrArrivesByteForByteWithoutAFilter) {
  const auto from = source(shell("printf '\\033[2J\\233\\r\\377\\n\\007' >&2"));
  EXPECT_TRUE(read(*from).ok());
  EXPECT_TRUE(from->conclude().ok());
  EXPECT_EQ(log(), "\x1b[2J\x9b\r\xff\n\x07\n");  // the last line feed is ours
}

TEST_F(ChildSourceTest, AFilterOfStderrGetsLinesAndOfLongOnesWholeCharacters) {
  ChildOptions options =
      shell("printf 'one\\ntwo\\nx' >&2; for i in $(seq 4000); do printf '\\350\\252\\236'; done >&2");
  options.stderr_filter = [](std::string_view text) { return "<" + std::string(text) + ">"; };
  const auto from = source(options);
  EXPECT_TRUE(read(*from).ok());
  EXPECT_TRUE(from->conclude().ok());
  std::string passed_on = log();
  const std::string begin = "<one\n><two\n><x\xe8\xaa\x9e\xe8";
  EXPECT_EQ(passed_on.substr(0, begin.size()), begin);
  EXPECT_THAT(passed_on, HasSubstr("\xe8\xaa\x9e><\xe8\xaa\x9e"));
  std::erase_if(passed_on, [](char c) { return c == '<' || c == '>'; });
  EXPECT_EQ(passed_on.size(), 8 + 1 + 3 * 4000U + 1);  // and a line feed behind the unfinished last line
}

TEST_F(ChildSourceTest, ACommandThatHangsIsStoppedAtItsTimeout) {
  ChildOptions options = shell("printf begun; echo waiting >&2; sleep 60");
  options.timeout = seconds(1);
  const auto from = source(options);
  const auto began = steady_clock::now();
  const auto seen = read(*from);
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, ErrorCode::kSource);
  EXPECT_THAT(seen.error().message, HasSubstr("did not finish within 1 s"));
  EXPECT_THAT(seen.error().message, HasSubstr("waiting"));
  EXPECT_EQ(from->conclude().error().message, seen.error().message);
  EXPECT_LT(steady_clock::now() - began, seconds(4));
}

TEST_F(ChildSourceTest, ACommandThatHangsAfterItsOutputIsStoppedAtItsTimeout) {
  ChildOptions options = shell("printf all; exec >&-; sleep 60");
  options.timeout = seconds(1);
  const auto from = source(options);
  ASSERT_TRUE(read(*from).ok());
  EXPECT_THAT(from->conclude().error().message, HasSubstr("did not finish within 1 s"));
}

TEST_F(ChildSourceTest, ACommandThatIgnoresTermIsKilled) {
  ChildOptions options = shell("trap '' TERM; printf begun; while :; do sleep 1; done");
  options.timeout = seconds(1);
  const auto from = source(options);
  const auto began = steady_clock::now();
  EXPECT_FALSE(read(*from).ok());
  EXPECT_GE(steady_clock::now() - began, seconds(5));
  EXPECT_LT(steady_clock::now() - began, seconds(9));
}

TEST_F(ChildSourceTest, CancelEndsABlockedReadAndTheCommand) {
  const auto from = source(shell("sleep 60"));
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(50));
    from->cancel();
  });
  const auto began = steady_clock::now();
  const auto seen = read(*from);
  canceller.join();
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, ErrorCode::kCancelled);
  EXPECT_LT(steady_clock::now() - began, seconds(3));
}

TEST_F(ChildSourceTest, DroppedBeforeTheEndItStopsTheCommand) {
  const auto began = steady_clock::now();
  { const auto from = source(shell("sleep 60")); }
  EXPECT_LT(steady_clock::now() - began, seconds(3));
}

TEST_F(ChildSourceTest, AProcessThatKeepsTheOutputOpenCannotHangUs) {
  // In a separate session, which our signals do not reach.
  const auto from = source(shell("printf begun; setsid sleep 8 & sleep 0.1"));
  const auto began = steady_clock::now();
  const auto seen = read(*from);
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, ErrorCode::kSource);
  EXPECT_THAT(seen.error().message, HasSubstr("keeps its output open"));
  EXPECT_LT(steady_clock::now() - began, seconds(4));
}

TEST_F(ChildSourceTest, AProcessThatWritesOnAfterTheCommandEndedCannotPassForIt) {
  const auto from = source(shell("yes & exit 0"));
  const auto seen = read(*from);
  ASSERT_FALSE(seen.ok());
  EXPECT_THAT(seen.error().message, HasSubstr("wrote into the stream after that"));
}

TEST_F(ChildSourceTest, BytesThatArriveAfterTheCommandEndedWithAnEmptyPipeAreRefused) {
  const auto from = source(shell("printf begun; (sleep 0.3; echo late; exit 1) & exit 0"));
  const auto seen = read(*from);
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, ErrorCode::kSource);
  EXPECT_THAT(seen.error().message, HasSubstr("exited with status 0, but a process that it started wrote into"));
}

TEST_F(ChildSourceTest, BytesThatArriveAfterTheEndAreRefusedHoweverLateTheyAreRead) {
  const auto from = source(shell("printf begun; (sleep 0.3; echo late) & exit 0"));
  std::this_thread::sleep_for(milliseconds(700));  // a delayed reader: all output is in the pipe by now
  const auto seen = read(*from);
  ASSERT_FALSE(seen.ok());
  EXPECT_THAT(seen.error().message, HasSubstr("wrote into the stream after that"));
}

TEST_F(ChildSourceTest, WhatTheCommandLeftInThePipeIsTaken) {
  const auto from = source(shell("head -c 60000 /dev/zero; exit 0"));
  std::this_thread::sleep_for(milliseconds(200));
  const auto seen = read(*from);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->size(), 60'000U);
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, AProcessThatClosesTheOutputInSilenceIsNoTrouble) {
  const auto from = source(shell("printf all; sleep 0.3 & exit 0"));
  const auto seen = read(*from);
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(as_text(*seen), "all");
  EXPECT_TRUE(from->conclude().ok());
}

TEST_F(ChildSourceTest, AnExitStatusThatCannotBeKnownIsAFailure) {
  auto* const handler_before = std::signal(SIGCHLD, SIG_IGN);  // the kernel then discards exit statuses
  {
    const auto from = source(shell("printf all; exit 0"));
    EXPECT_TRUE(read(*from).ok());
    const auto proof = from->conclude();
    ASSERT_FALSE(proof.ok());
    EXPECT_EQ(proof.error().code, ErrorCode::kSource);
    EXPECT_THAT(proof.error().message, HasSubstr("exit status cannot be known"));
  }
  std::signal(SIGCHLD, handler_before);
}

TEST_F(ChildSinkTest, TheCommandGetsEveryByteAndItsStatusCounts) {
  const std::string out = directory_.file("out");
  const auto to = sink(shell("cat > " + out));
  const Bytes content = test::random_bytes(3 * kMiB + 5, 1);
  EXPECT_TRUE(to->write(content).ok());
  const auto committed = to->commit();
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(test::read_whole_file(out), content);
}

TEST_F(ChildSinkTest, AConsumerThatFailsAfterReadingAllIsReported) {
  const auto to = sink(shell("cat > /dev/null; echo 'relation exists' >&2; exit 3"));
  EXPECT_TRUE(to->write(Bytes(1000)).ok());
  const auto committed = to->commit();
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kSinkClosed);
  EXPECT_THAT(committed.error().message, HasSubstr("exited with status 3"));
  EXPECT_THAT(committed.error().message, HasSubstr("relation exists"));
}

TEST_F(ChildSinkTest, AConsumerThatStopsReadingIsReported) {
  const auto to = sink(shell("head -c 10 > /dev/null; echo enough >&2; exit 4"));
  Result<void> wrote;
  for (int i = 0; i < 100 && wrote.ok(); ++i) wrote = to->write(Bytes(kMiB));
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().code, ErrorCode::kSinkClosed);
  EXPECT_THAT(wrote.error().message, HasSubstr("exited with status 4"));
  EXPECT_THAT(wrote.error().message, HasSubstr("enough"));
}

TEST_F(ChildSinkTest, AConsumerThatExitsWithZeroAndLeavesBytesUnreadHasFailed) {
  // Bytes that fit into the pipe are written without a reader, so no write fails.
  for (const char* script : {"exit 0", "head -c 10 > /dev/null", "exec < /dev/null; sleep 0.2"}) {
    const auto to = sink(shell(script));
    static_cast<void>(to->write(Bytes(5000)));  // fails if the command has already exited
    const auto committed = to->commit();
    ASSERT_FALSE(committed.ok()) << script;
    EXPECT_EQ(committed.error().code, ErrorCode::kSinkClosed);
    EXPECT_THAT(committed.error().message, HasSubstr("stopped reading before the end and exited with status 0"));
    EXPECT_FALSE(to->stopped_well());
  }
}

TEST_F(ChildSinkTest, AConsumerThatMayStopSucceedsByItsStatusAlone) {
  for (const std::size_t bytes : {std::size_t{5000}, 8 * kMiB}) {
    const auto to = sink(shell("head -c 10 > /dev/null"), true);
    const auto wrote = to->write(Bytes(bytes));
    if (wrote.ok()) {
      EXPECT_TRUE(to->commit().ok());
    }
    EXPECT_TRUE(to->stopped_well());
    const auto failing = sink(shell("head -c 10 > /dev/null; exit 1"), true);
    EXPECT_FALSE(failing->write(Bytes(bytes)).ok() && failing->commit().ok());
    EXPECT_FALSE(failing->stopped_well());
  }
}

// dash redirects the stdin of background commands to /dev/null, so the script duplicates it to descriptor 3.
TEST_F(ChildSinkTest, AProcessThatKeepsTheInputOpenWithoutReadingCannotHangUs) {
  for (const std::size_t bytes : {std::size_t{5000}, 8 * kMiB}) {  // fits into the pipe; does not
    const auto to =
        make_child_sink({.child = shell("exec 3<&0; sleep 40 <&3 & exit 0"), .end_grace = milliseconds(300)});
    ASSERT_TRUE(to.ok());
    const auto begin = steady_clock::now();
    auto result = (*to)->write(Bytes(bytes));
    if (result.ok()) result = (*to)->commit();
    EXPECT_LT(steady_clock::now() - begin, seconds(10));
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kSinkClosed);
    EXPECT_THAT(result.error().message,
                HasSubstr("exited with status 0; a process that it started kept its input open"));
  }
}

TEST_F(ChildSinkTest, AProcessThatReadsOnAfterTheCommandEndedIsWaitedFor) {
  const std::string out = directory_.file("out");
  const std::string script = "exec 3<&0; (for i in 1 2 3 4 5 6; do sleep 0.2; head -c 40000 >> " + out +
                             "; done; cat >> " + out + ") <&3 & exit 0";
  const auto to = make_child_sink({.child = shell(script), .end_grace = milliseconds(700)});
  ASSERT_TRUE(to.ok());
  const auto wrote = (*to)->write(Bytes(3 * kMiB));
  ASSERT_TRUE(wrote.ok()) << wrote.error().message;
  const auto committed = (*to)->commit();
  EXPECT_TRUE(committed.ok()) << committed.error().message;
}

TEST_F(ChildSinkTest, ASlowConsumerIsWaitedFor) {
  const std::string out = directory_.file("out");
  const auto to = sink(shell("sleep 0.3; cat > " + out));
  EXPECT_TRUE(to->write(Bytes(5000)).ok());
  EXPECT_TRUE(to->commit().ok());
  EXPECT_EQ(test::read_whole_file(out).size(), 5000U);
}

TEST_F(ChildSinkTest, AbandonNeverLooksLikeTheEndOfTheData) {
  const std::string committed = directory_.file("committed");
  for (const bool explicitly : {true, false}) {
    auto to = sink(shell("cat > /dev/null; touch " + committed));
    EXPECT_TRUE(to->write(Bytes(100'000)).ok());
    if (explicitly) to->abandon();
    to.reset();
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_FALSE(std::filesystem::exists(committed));
  }
}

TEST_F(ChildSinkTest, CancelEndsAWriteThatBlocks) {
  const auto to = sink(shell("sleep 60"));
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(50));
    to->cancel();
  });
  const auto wrote = to->write(Bytes(8 * kMiB));
  canceller.join();
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().code, ErrorCode::kCancelled);
}

TEST_F(ChildSinkTest, AConsumerThatHangsIsStoppedAtItsTimeout) {
  ChildOptions options = shell("sleep 60");
  options.timeout = seconds(1);
  const auto to = sink(options);
  const auto committed = to->commit();
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kSinkClosed);
  EXPECT_THAT(committed.error().message, HasSubstr("did not finish within 1 s"));
}

TEST_F(ChildSinkTest, AMissingCommandIsTheOperatorsError) {
  ChildOptions options;
  options.argv = {"psqll-that-is-not-there"};
  EXPECT_EQ(make_child_sink({.child = options}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace drs
