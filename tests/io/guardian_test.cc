#include "io/guardian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "io/child_sink.h"
#include "io/child_source.h"
#include "io/command_output.h"
#include "tests/io/read_source.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

bool soon(const std::function<bool()>& condition) {
  for (const auto late = steady_clock::now() + seconds(20); steady_clock::now() < late;) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

// The guardians among our children. A guardian sets its name shortly after it starts.
std::vector<pid_t> guardians() {
  std::vector<pid_t> found;
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  for (pid_t child = 0; children >> child;) {
    std::string name;
    std::ifstream("/proc/" + std::to_string(child) + "/comm") >> name;
    if (name == "drs-guardian") found.push_back(child);
  }
  return found;
}

// True if the process has exited; the init process that inherited it may not have reaped it yet.
bool has_ended(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  return !(file >> number >> name >> state) || state == "Z";
}

class GuardianTest : public testing::Test {
 protected:
  void SetUp() override { before_ = std::signal(SIGPIPE, SIG_IGN); }
  void TearDown() override {
    std::signal(SIGPIPE, before_);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
  }

  [[nodiscard]] ChildOptions shell(const std::string& script, Guardian& guardian) const {
    ChildOptions options;
    options.argv = {"/bin/sh", "-c", script};
    options.guardian = &guardian;
    return options;
  }
  // Creates `started_` when it starts, and `finished_` when it sees a clean end of its input.
  [[nodiscard]] std::string consumer() const {
    return "echo $$ > " + started_ + "; cat > /dev/null; touch " + finished_;
  }
  [[nodiscard]] pid_t consumer_pid() const {
    pid_t pid = 0;
    std::ifstream(started_) >> pid;
    return pid;
  }

  test::TemporaryDirectory directory_;
  const std::string started_ = directory_.file("started");
  const std::string finished_ = directory_.file("finished");
  void (*before_)(int) = nullptr;
};

TEST_F(GuardianTest, AConsumerSeesTheEndOfAStreamThatWasCommitted) {
  const auto guardian = *Guardian::start();
  const auto sink = *make_child_sink({.child = shell(consumer(), *guardian)});
  EXPECT_TRUE(sink->write(Bytes(100'000)).ok());
  EXPECT_EQ(guardians().size(), 1U);
  const auto committed = sink->commit();
  EXPECT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_TRUE(std::filesystem::exists(finished_));
}

TEST_F(GuardianTest, EndsWithItsOwner) {
  auto guardian = *Guardian::start();
  ASSERT_TRUE(soon([] { return guardians().size() == 1; }));
  guardian.reset();
  EXPECT_TRUE(guardians().empty());
}

TEST_F(GuardianTest, AConsumerDoesNotTakeOurDeathForTheEndOfItsInput) {
  for (const int number : {SIGKILL, SIGQUIT, SIGABRT, SIGSEGV}) {
    std::filesystem::remove(started_);
    const pid_t self = ::fork();
    if (self == 0) {
      ::signal(number, SIG_DFL);
      const auto guardian = *Guardian::start();
      const auto sink = *make_child_sink({.child = shell(consumer(), *guardian)});
      static_cast<void>(sink->write(Bytes(100'000)));
      while (consumer_pid() == 0) std::this_thread::sleep_for(milliseconds(1));
      ::kill(::getpid(), number);
      for (;;) ::pause();
    }
    int status = 0;
    ASSERT_EQ(::waitpid(self, &status, 0), self);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_TRUE(soon([&] { return has_ended(consumer_pid()); }));
    EXPECT_FALSE(std::filesystem::exists(finished_)) << "signal " << number;
  }
}

TEST_F(GuardianTest, AProducerEndsWithUs) {
  const pid_t self = ::fork();
  if (self == 0) {
    const auto guardian = *Guardian::start();
    const auto source = *make_child_source(shell("echo $$ > " + started_ + "; sleep 60", *guardian));
    while (consumer_pid() == 0) std::this_thread::sleep_for(milliseconds(1));
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(self, nullptr, 0), self);
  EXPECT_TRUE(soon([&] { return has_ended(consumer_pid()); }));
}

TEST_F(GuardianTest, ACommandRunForItsOutputEndsWithUsWhicheverItIs) {
  const pid_t self = ::fork();
  if (self == 0) {
    const auto guardian = *Guardian::start();
    CancelToken none;
    ChildOptions missing = shell("", *guardian);
    missing.argv = {"/no/such/command"};
    const bool refused = !command_output(missing, 100, none).ok();
    const bool ran = command_output(shell("echo first", *guardian), 100, none).ok();
    if (!refused || !ran) ::_exit(1);
    std::thread killer([&] {
      while (consumer_pid() == 0) std::this_thread::sleep_for(milliseconds(1));
      ::kill(::getpid(), SIGKILL);
    });
    static_cast<void>(command_output(shell("sleep 60 & echo $! > " + started_ + "; wait", *guardian), 100, none));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(self, &status, 0), self);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(soon([&] { return has_ended(consumer_pid()); })) << "a process started by the command still runs";
}

TEST_F(GuardianTest, ACommandThatAsksOnTheTerminalEndsWithUs) {
  const pid_t self = ::fork();
  if (self == 0) {
    std::thread killer([&] {
      while (consumer_pid() == 0) std::this_thread::sleep_for(milliseconds(1));
      ::kill(::getpid(), SIGKILL);
    });
    ChildOptions options;
    options.argv = {"/bin/sh", "-c", "echo $$ > " + started_ + "; exec sleep 60"};
    options.asks_on_terminal = true;
    CancelToken none;
    static_cast<void>(command_output(options, 100, none));
  }
  ASSERT_EQ(::waitpid(self, nullptr, 0), self);
  EXPECT_TRUE(soon([&] { return has_ended(consumer_pid()); }));
}

TEST_F(GuardianTest, ALostGuardianEndsTheRestoreAndTheConsumerFirst) {
  const auto guardian = *Guardian::start();
  const auto sink = *make_child_sink({.child = shell(consumer(), *guardian)});
  EXPECT_TRUE(sink->write(Bytes(1000)).ok());
  ASSERT_TRUE(soon([] { return guardians().size() == 1; }));
  ::kill(guardians().front(), SIGKILL);
  Result<void> wrote;
  EXPECT_TRUE(soon([&] {
    wrote = sink->write(Bytes(1000));
    return !wrote.ok();
  }));
  EXPECT_EQ(wrote.error().code, ErrorCode::kSinkClosed);
  EXPECT_THAT(wrote.error().message, HasSubstr("the process that guards"));
  EXPECT_FALSE(sink->commit().ok());
  EXPECT_FALSE(std::filesystem::exists(finished_));
}

TEST_F(GuardianTest, NoGuardianIsNeededOnceTheInputMayEnd) {
  const auto guardian = *Guardian::start();
  const auto sink = *make_child_sink({.child = shell(consumer() + "; sleep 0.3", *guardian)});
  EXPECT_TRUE(sink->write(Bytes(1000)).ok());
  std::thread killer([&] {
    EXPECT_TRUE(soon([&] { return std::filesystem::exists(finished_); }));
    for (const pid_t pid : guardians()) ::kill(pid, SIGKILL);
  });
  const auto committed = sink->commit();
  killer.join();
  EXPECT_TRUE(committed.ok()) << committed.error().message;
}

TEST_F(GuardianTest, NoCommandRunsWithoutItsGuardian) {
  const auto guardian = *Guardian::start();
  ASSERT_TRUE(soon([] { return guardians().size() == 1; }));
  ::kill(guardians().front(), SIGKILL);
  EXPECT_TRUE(soon([&] {
    pollfd gone{.fd = guardian->socket(), .events = 0, .revents = 0};
    return ::poll(&gone, 1, 0) == 1;
  }));
  const auto sink = make_child_sink({.child = shell("touch " + finished_, *guardian)});
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().code, ErrorCode::kIo);
  EXPECT_FALSE(std::filesystem::exists(finished_));
}

TEST_F(GuardianTest, ACommandThatCannotRunIsTheOperatorsError) {
  const auto guardian = *Guardian::start();
  ChildOptions options;
  options.argv = {"psqll-that-is-not-there"};
  options.guardian = guardian.get();
  EXPECT_EQ(make_child_sink({.child = options}).error().code, ErrorCode::kUsage);
}

TEST_F(GuardianTest, KeepsNothingOfOursButItsTwoDescriptors) {
  const auto guardian = *Guardian::start();
  ASSERT_TRUE(soon([] { return guardians().size() == 1; }));
  const std::string folder = "/proc/" + std::to_string(guardians().front());
  EXPECT_TRUE(soon([&] {
    std::string arguments;
    std::ifstream(folder + "/cmdline") >> arguments;
    return arguments.find("drs_io_test") == std::string::npos;
  }));
  const std::filesystem::directory_iterator files(folder + "/fd");
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
  std::string variables;
  std::ifstream(folder + "/environ") >> variables;
  EXPECT_THAT(variables, testing::Not(HasSubstr("PATH")));
}

}  // namespace
}  // namespace drs
