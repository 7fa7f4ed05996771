#include "io/ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "io/fd.h"
#include "io/posix_ring.h"
#include "io/uring_ring.h"

namespace drs {
namespace {

constexpr std::size_t kDepthMax = 4096;

// Adds the likely cause of a refusal, for the operator.
std::string explain_refusal(const Error& error) {
  std::string reason = error.message;
  if (error.error_number == EPERM || error.error_number == EACCES) {
    int disabled = 0;
    std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
    reason += disabled != 0 ? " (the sysctl kernel.io_uring_disabled is " + std::to_string(disabled) + ")"
                            : " (likely the seccomp filter of a container)";
  } else if (error.error_number == ENOSYS) {
    reason += " (hidden by the seccomp filter of a container or by an emulator, or missing in this kernel)";
  } else if (error.error_number == ENOMEM) {
    reason += " (the limit on locked memory, ulimit -l, is too low)";
  }
  return reason;
}

// Reads a file: a NOP would prove only that a ring can be created.
Result<void> try_uring() {
  DRS_ASSIGN_OR_RETURN(const auto ring, UringRing::create(4));
  const Fd file(::memfd_create("drstream-probe", MFD_CLOEXEC));
  if (!file) return error_from_errno(errno, "memfd_create");
  constexpr std::array<Byte, 4> kWritten = {'p', 'r', 'o', 'b'};
  if (::pwrite(file.get(), kWritten.data(), kWritten.size(), 0) != ssize_t{kWritten.size()}) {
    return error_from_errno(EIO, "write to a memory file");
  }
  std::array<Byte, 4> seen{};
  IoOperation read;
  read.fd = file.get();
  read.bytes = seen;
  read.done = [](IoOperation&) {};
  ring->submit(read);
  DRS_RETURN_IF_ERROR(ring->run(Wait::kForOne));
  if (read.result < 0) return error_from_errno(static_cast<int>(-read.result), "io_uring read");
  if (seen != kWritten) return Error(ErrorCode::kIo, "io_uring read returned wrong bytes");
  return {};
}

RingProbe run_probe() {
  const Result<void> tried = try_uring();
  if (tried.ok()) return {.uring_usable = true, .reason = {}};
  return {.uring_usable = false, .reason = explain_refusal(tried.error())};
}

}  // namespace

std::string_view io_backend_name(IoBackend backend) {
  switch (backend) {
    case IoBackend::kUring: return "uring";
    case IoBackend::kPosix: return "posix";
    case IoBackend::kSim: return "sim";
  }
  return "unknown";
}

std::string describe_io(const Ring& ring, const IoShape& shape) {
  std::string text;
  switch (ring.backend()) {
    case IoBackend::kUring: text = "io_uring"; break;
    case IoBackend::kPosix: text = "system calls on threads"; break;
    case IoBackend::kSim: text = "simulated disk"; break;
  }
  if (ring.memory_registered()) text += ", registered buffers";
  if (shape.direct) text += ", O_DIRECT";
  return text + ", depth " + std::to_string(shape.depth);
}

const RingProbe& probe_uring() {
  static const RingProbe probe = run_probe();
  return probe;
}

Result<std::unique_ptr<Ring>> make_ring(IoChoice choice, std::size_t depth) {
  const std::size_t depth_used = std::clamp<std::size_t>(depth, 1, kDepthMax);
  if (choice == IoChoice::kUring && !probe_uring().uring_usable) {
    return Error(ErrorCode::kUsage, "io_uring was requested, but this machine refuses it: " + probe_uring().reason +
                                        "; use --io auto or --io posix");
  }
  if (choice != IoChoice::kPosix && probe_uring().uring_usable) {
    auto ring = UringRing::create(depth_used);
    if (ring.ok()) return std::unique_ptr<Ring>(*std::move(ring));
    // A later ring may fail although the probe succeeded (limits on memory or descriptors): `auto` then falls back.
    if (choice == IoChoice::kUring) return std::move(ring).error();
  }
  return std::unique_ptr<Ring>(std::make_unique<PosixRing>(depth_used));
}

}  // namespace drs
