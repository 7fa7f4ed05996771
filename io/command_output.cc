#include "io/command_output.h"

#include <poll.h>

#include <cerrno>

namespace drs {

Result<SecretBytes> command_output(const ChildOptions& options, std::size_t output_bytes_max, CancelToken& cancel) {
  DRS_ASSIGN_OR_RETURN(const Interrupt interrupt, Interrupt::create());
  const auto registration = cancel.on_cancel([&interrupt] { interrupt.raise(); });
  DRS_ASSIGN_OR_RETURN(const auto child, ChildProcess::spawn(options, ChildPipe::kFromChild));
  const auto failed = [&](const std::string& what) {
    return Error(ErrorCode::kSource, "'" + options.argv.front() + "' " + what + child->stderr_quote());
  };
  SecretBytes buffer(output_bytes_max + 1);
  std::size_t used_bytes = 0;
  bool open = true;
  // Returns true if more bytes may be available now.
  const auto read_some = [&] {
    const MutableByteView space = buffer.mutable_view().subspan(used_bytes);
    const ssize_t got = ::read(child->pipe(), space.data(), space.size());
    if (got > 0) used_bytes += static_cast<std::size_t>(got);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) open = false;
    return got > 0 && used_bytes < buffer.size();
  };
  for (bool exited = false; !exited;) {
    const Wake wake = child->wait(interrupt, open ? POLLIN : 0, child->timeout());
    if (wake.interrupted) {
      child->stop();
      return Error(ErrorCode::kCancelled, "'" + options.argv.front() + "' was cancelled");
    }
    if (!wake.ready && !wake.exited) {
      child->stop();
      return failed("did not finish within " + std::to_string(options.timeout->count()) + " s");
    }
    exited = wake.exited;
    if (exited || wake.ready) {
      while (open && read_some()) {
      }
    }
    if (used_bytes > output_bytes_max) {
      child->stop();
      return failed("printed more than " + std::to_string(output_bytes_max) + " bytes");
    }
  }
  const ChildEnd end = child->kill();  // the command has exited; this reaps it and kills its descendants
  if (!end.success()) return failed(end.text());
  return SecretBytes::copy_of(buffer.view().first(used_bytes));
}

}  // namespace drs
