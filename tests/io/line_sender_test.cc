#include "io/line_sender.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <thread>

#include "io/pipe.h"

namespace drs {
namespace {

using std::chrono::milliseconds;

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> piece;
  for (ssize_t got = 0; (got = ::read(fd, piece.data(), piece.size())) > 0;)
    text.append(piece.data(), static_cast<std::size_t>(got));
  return text;
}

TEST(LineSender, DropsWholeLinesWhileTheReaderStalls) {
  Pipe pipe = *make_pipe();
  ASSERT_TRUE(set_nonblocking(pipe.read_end.get()).ok());
  LineSender sender(pipe.write_end.get());
  const std::string line = std::string(999, 'x') + "\n";
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(sender.send(line, milliseconds(0)));
  const std::string seen = read_all(pipe.read_end.get());
  EXPECT_GT(seen.size(), 0U);
  EXPECT_LT(seen.size(), 1'000'000U);
  EXPECT_TRUE(sender.send("last\n", milliseconds(0)));
  const std::string whole = seen + read_all(pipe.read_end.get());
  EXPECT_EQ((whole.size() - 5) % line.size(), 0U);
  EXPECT_TRUE(whole.ends_with("x\nlast\n"));
}

TEST(LineSender, FinishesALineThatASocketTookInPart) {
  std::array<int, 2> raw = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, raw.data()), 0);
  const Fd ours(raw[0]);
  const Fd theirs(raw[1]);
  ASSERT_TRUE(set_nonblocking(theirs.get()).ok());
  LineSender sender(ours.get());
  const std::string line = std::string(100'000, 'x') + "\n";
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(sender.send(line, milliseconds(0)));
  std::string whole = read_all(theirs.get());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(sender.send("last\n", milliseconds(0)));
    whole += read_all(theirs.get());
  }
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = whole.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string seen = whole.substr(begin, end + 1 - begin);
    EXPECT_TRUE(seen == line || seen == "last\n");
  }
  EXPECT_EQ(begin, whole.size());
}

TEST(LineSender, DeliversEverythingToAReaderThatIsSlow) {
  Pipe pipe = *make_pipe();
  const std::string lines(1'000'000, 'x');
  std::string seen;
  std::thread reader([&] { seen = read_all(pipe.read_end.get()); });
  {
    LineSender sender(pipe.write_end.get());
    EXPECT_EQ(sender.deliver(lines, [] { return true; }), LineSender::Delivery::kWhole);
  }
  pipe.write_end = Fd();
  reader.join();
  EXPECT_EQ(seen, lines);
}

TEST(LineSender, GivesUpAReaderThatDoesNotReadOnceToldTo) {
  Pipe pipe = *make_pipe();
  ASSERT_TRUE(set_nonblocking(pipe.read_end.get()).ok());
  LineSender sender(pipe.write_end.get());
  const std::string line = std::string(999'999, 'x') + "\n";
  int looks = 3;
  EXPECT_EQ(sender.deliver(line, [&] { return --looks > 0; }), LineSender::Delivery::kGivenUp);
  EXPECT_EQ(looks, 0);
  std::string whole;
  const auto read_on = [&] {
    whole += read_all(pipe.read_end.get());
    return true;
  };
  EXPECT_EQ(sender.deliver("last\n", read_on), LineSender::Delivery::kWhole);
  EXPECT_EQ(whole + read_all(pipe.read_end.get()), line + "last\n") << "a partly sent line is completed first";
}

TEST(LineSender, SaysThatADeliveryFailed) {
  const Fd read_only(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  LineSender sender(read_only.get());
  EXPECT_EQ(sender.deliver("line\n", [] { return true; }), LineSender::Delivery::kFailed);
}

TEST(LineSender, LeavesTheFlagsOfTheDescriptorAlone) {
  const Pipe pipe = *make_pipe();
  const int before = ::fcntl(pipe.write_end.get(), F_GETFL);
  LineSender sender(pipe.write_end.get());
  EXPECT_TRUE(sender.send("line\n", milliseconds(0)));
  EXPECT_EQ(::fcntl(pipe.write_end.get(), F_GETFL), before);
}

TEST(LineSender, SaysThatTheReaderIsGone) {
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe = *make_pipe();
  LineSender sender(pipe.write_end.get());
  pipe.read_end = Fd();
  EXPECT_FALSE(sender.send("line\n", milliseconds(0)));
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace drs
