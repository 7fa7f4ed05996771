#include "io/stderr_tap.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <memory>

#include "io/base/bytes.h"
#include "io/base/catch_thrown.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

constexpr std::size_t kPieceBytes = 4096;              // read at a time
constexpr std::size_t kLineBytesMax = 8 * kKiB;        // a longer line is passed on in parts
constexpr std::size_t kLeftInPipeBytesMax = 1 * kMiB;  // the most that the child can have left in the pipe
constexpr int kLooksOnceHurried = 20;                  // ten per second

// The length of `text` without an incomplete UTF-8 character at its end.
std::size_t whole_characters_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t bytes = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return bytes > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

StderrTap::StderrTap(Fd read_end, int pass_to, Filter filter, Interrupt stop)
    : read_end_(std::move(read_end)),
      pass_to_(pass_to),
      filter_(filter),
      stop_(std::move(stop)),
      looks_left_(kLooksOnceHurried) {}

Result<std::unique_ptr<StderrTap>> StderrTap::start(Fd read_end, int pass_to, Filter filter) {
  DRS_RETURN_IF_ERROR(set_nonblocking(read_end.get()));
  DRS_ASSIGN_OR_RETURN(Interrupt stop, Interrupt::create());
  std::unique_ptr<StderrTap> tap(new StderrTap(std::move(read_end), pass_to, filter, std::move(stop)));
  // Reserves all memory that the thread needs: it must not stop reading, or the child blocks.
  tap->tail_.reserve(kTailBytesMax + kPieceBytes);
  tap->line_.reserve(kLineBytesMax);
  DRS_ASSIGN_OR_RETURN(tap->thread_, start_helper_thread([raw = tap.get()] { raw->read_to_end(); }, must_not_throw));
  return tap;
}

void StderrTap::finish() {
  stop_.raise();
  if (thread_.joinable()) thread_.join();
}

std::string StderrTap::tail() const {
  const std::lock_guard lock(mutex_);
  return tail_;
}

void StderrTap::read_to_end() {
  std::array<char, kPieceBytes> piece;
  bool stopping = false;
  for (std::size_t left_bytes = kLeftInPipeBytesMax; left_bytes >= piece.size();) {
    const ssize_t got = ::read(read_end_.get(), piece.data(), piece.size());
    if (got > 0) {
      take({piece.data(), static_cast<std::size_t>(got)});
      if (stopping) left_bytes -= static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && errno == EAGAIN && !stopping) {
      const Wake wake = wait_for(stop_, {.fd = read_end_.get(), .events = POLLIN});
      stopping = wake.interrupted;  // one more round, for bytes that arrived before
    } else {
      break;
    }
  }
  // What is written to stderr next, such as the report of the child's failure, begins a line of its own.
  if (!line_.empty()) line_ += '\n';
  pass(line_.size());
}

void StderrTap::take(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    tail_ += text;
    if (tail_.size() > kTailBytesMax) tail_.erase(0, tail_.size() - kTailBytesMax);
  }
  for (const char c : text) {
    line_ += c;
    if (c == '\n')
      pass(line_.size());
    else if (line_.size() >= kLineBytesMax)
      pass(whole_characters_bytes(line_));
  }
}

void StderrTap::pass(std::size_t bytes) {
  const std::string_view text = std::string_view(line_).substr(0, bytes);
  if (filter_ == nullptr) {
    write(text);
  } else {
    // If the filter runs out of memory, the line is dropped.
    const auto shown = catch_thrown([&]() -> Result<std::string> { return filter_(text); });
    if (shown.ok()) write(*shown);
  }
  line_.erase(0, bytes);
}

// One write per line, so that lines of several writers do not interleave. Errors are ignored: there is no place to
// report a failure of our own stderr.
void StderrTap::write(std::string_view text) {
  static_cast<void>(pass_to_.deliver(text, [this] { return !hurried_ || looks_left_-- > 0; }));
}

}  // namespace drs
