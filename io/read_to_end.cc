#include "io/read_to_end.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/interrupt.h"

namespace drs {

Result<Fd> open_to_read(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return error_from_errno(errno, "open '" + path + "'");
  return file;
}

Result<SecretBytes> read_to_end(const Fd& file, std::size_t bytes_max, CancelToken& cancel) {
  DRS_ASSIGN_OR_RETURN(const Interrupt interrupt, Interrupt::create());
  const auto registration = cancel.on_cancel([&interrupt] { interrupt.raise(); });
  struct stat status {};
  const bool regular = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  SecretBytes buffer(bytes_max);
  std::size_t used = 0;
  while (used < buffer.size()) {
    // A FIFO without a writer reads as if at its end; poll waits for a writer.
    if (!regular && wait_for(interrupt, {.fd = file.get(), .events = POLLIN}).interrupted)
      return Error(ErrorCode::kCancelled, "reading was cancelled");
    const ssize_t got = ::read(file.get(), buffer.mutable_view().data() + used, buffer.size() - used);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return error_from_errno(errno, "read");
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return SecretBytes::copy_of(buffer.view().first(used));
}

}  // namespace drs
