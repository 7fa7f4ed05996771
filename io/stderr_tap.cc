#include "io/stderr_tap.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <memory>

#include "io/bytes.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

constexpr std::size_t kPieceBytes = 4096;              // read at a time
constexpr std::size_t kLineBytesMax = 8 * kKiB;        // a longer line is passed on in parts
constexpr std::size_t kLeftInPipeBytesMax = 1 * kMiB;  // what the child itself can have left behind

}  // namespace

Result<std::unique_ptr<StderrTap>> StderrTap::start(Fd read_end, int pass_to) {
  DRS_RETURN_IF_ERROR(set_nonblocking(read_end.get()));
  DRS_ASSIGN_OR_RETURN(Interrupt stop, Interrupt::create());
  std::unique_ptr<StderrTap> tap(new StderrTap(std::move(read_end), pass_to, std::move(stop)));
  // All that the thread will need: it must go on reading whatever happens, or the child stops.
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
      stopping = wake.interrupted;  // one more round for what arrived before
    } else {
      break;
    }
  }
  pass_line();
}

void StderrTap::take(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    tail_ += text;
    if (tail_.size() > kTailBytesMax) tail_.erase(0, tail_.size() - kTailBytesMax);
  }
  for (const char c : text) {
    line_ += c;
    if (c == '\n' || line_.size() >= kLineBytesMax) pass_line();
  }
}

void StderrTap::pass_line() {
  // One write per line, so that lines of several writers do not mix. Nobody to tell when our own stderr fails.
  std::string_view rest = line_;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(pass_to_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  line_.clear();
}

}  // namespace drs
