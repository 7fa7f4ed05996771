#include "tools/machine_check.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <thread>

#include "codecs/random.h"
#include "tools/size_text.h"

namespace drs {
namespace {

using State = CheckResult::State;

constexpr std::uint64_t kPipeBytesWanted = 1 * kMiB;
constexpr std::uint64_t kFreeBytesLow = 1 * kGiB;

// The first line of a file, or nothing.
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

CheckResult check_io(IoChoice choice) {
  const RingProbe& probe = probe_uring();
  if (choice == IoChoice::kPosix) return {"io", State::kGood, "posix, as --io asks"};
  if (probe.uring_usable) return {"io", State::kGood, "io_uring works"};
  const State state = choice == IoChoice::kUring ? State::kBad : State::kNotice;
  return {"io", state, "io_uring is refused (" + probe.reason + "); the plain-syscall backend is used instead"};
}

CheckResult check_locked_memory() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const std::string text = limit.rlim_cur == RLIM_INFINITY ? "unlimited" : format_size(limit.rlim_cur);
  return {"locked memory", State::kGood,
          text + " (as much of the buffers is registered with io_uring; it works without)"};
}

CheckResult check_pipe_size() {
  const std::string line = first_line("/proc/sys/fs/pipe-max-size");
  const std::uint64_t bytes = line.empty() ? 0 : std::strtoull(line.c_str(), nullptr, 10);
  if (bytes >= kPipeBytesWanted) return {"pipe size", State::kGood, "up to " + format_size(bytes)};
  return {"pipe size", State::kNotice,
          fmt::format("at most {}: pipes are read slowly; sysctl fs.pipe-max-size=1048576", format_size(bytes))};
}

CheckResult check_huge_pages() {
  const std::string line = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  if (line.find("[never]") != std::string::npos)
    return {"huge pages", State::kNotice, "transparent huge pages are off: a little slower"};
  return {"huge pages", State::kGood, line.empty() ? "unknown" : line};
}

CheckResult check_cores() {
  return {"cores", State::kGood, fmt::format("{}", std::thread::hardware_concurrency())};
}

// Snapshots carry this clock's times; selection by time and retention go by them.
CheckResult check_clock() {
  const std::time_t now = std::time(nullptr);
  constexpr std::time_t kYear2025 = 1735689600;
  if (now < kYear2025) return {"clock", State::kBad, "this machine's clock stands before 2025"};
  timex state{};
  const int answer = ::adjtimex(&state);
  if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    return {"clock", State::kNotice, "not known to be synchronized (NTP)"};
  return {"clock", State::kGood, "synchronized"};
}

CheckResult check_free_space(FileSystem& files) {
  const auto free = files.free_space_bytes();
  if (!free.ok()) return failed_check("free space", free.error());
  return {"free space", *free < kFreeBytesLow ? State::kNotice : State::kGood, format_size(*free)};
}

// A page that O_DIRECT takes.
struct alignas(kDirectAlignment) Page {
  std::array<Byte, kDirectAlignment> bytes{};
};

std::int64_t perform(Ring& ring, IoOperation operation) {
  bool done = false;
  operation.owner = &done;
  operation.done = [](IoOperation& finished) { *static_cast<bool*>(finished.owner) = true; };
  ring.submit(operation);
  while (!done)
    if (const auto ran = ring.run(true); !ran.ok()) return -EIO;
  return operation.result;
}

// A page written, synced and read back: what a file system accepts when a file is opened is not what it does.
void check_data(FileSystem& files, OpenedFile file, std::vector<CheckResult>& results) {
  const auto bad = [&](std::string_view action, std::int64_t result) {
    const std::string why = result < 0 ? std::strerror(static_cast<int>(-result)) : fmt::format("{} bytes", result);
    Error error(ErrorCode::kIo, fmt::format("{} of {} bytes: {}", action, kDirectAlignment, why));
    if (result < 0) error.code = error_from_errno(static_cast<int>(-result), action).code;
    results.push_back(failed_check("writing", error));
  };
  const auto ring = files.make_ring(1);
  if (!ring.ok()) {
    results.push_back(failed_check("writing", ring.error()));
    return;
  }
  constexpr auto kPageBytes = std::int64_t{kDirectAlignment};
  Page written;
  Page found;
  random_bytes(written.bytes);
  CheckResult direct{"O_DIRECT", State::kGood, "works"};
  if (!file.direct) direct = {"O_DIRECT", State::kNotice, "refused: data goes through the page cache"};
  const auto transfer = [&](IoKind kind, Page& page) -> std::int64_t {
    std::int64_t moved = 0;
    while (moved < kPageBytes) {
      const auto at = static_cast<std::size_t>(moved);
      const IoOperation operation{
          .kind = kind, .fd = file.fd, .offset_bytes = at, .bytes = MutableByteView(page.bytes).subspan(at)};
      const std::int64_t result = perform(**ring, operation);
      if (result == -EINVAL && file.direct) {
        direct = {"O_DIRECT", State::kNotice,
                  fmt::format("accepted, but {} with it are refused (larger sectors, or a file system that cannot): "
                              "data goes through the page cache",
                              kind == IoKind::kWrite ? "writes" : "reads")};
        files.drop_direct(file.fd);
        file.direct = false;
        continue;
      }
      if (result <= 0) return result;
      moved += result;
    }
    return moved;
  };
  if (const auto result = transfer(IoKind::kWrite, written); result != kPageBytes) return bad("a write", result);
  const auto synced = perform(**ring, {.kind = IoKind::kSyncData, .fd = file.fd, .bytes = {}});
  if (synced < 0) return bad("the sync of a write", synced);
  if (const auto result = transfer(IoKind::kRead, found); result != kPageBytes) return bad("a read", result);
  if (found.bytes != written.bytes) {
    results.push_back({"writing", State::kBad, "what was read back is not what was written: do not use this disk"});
    return;
  }
  results.push_back({"writing", State::kGood, "a file was written, synced and read back"});
  results.push_back(std::move(direct));
}

}  // namespace

CheckResult failed_check(std::string name, const Error& error) {
  return {std::move(name), State::kBad, error.message, error.code};
}

std::vector<CheckResult> check_machine(IoChoice io) {
  return {check_io(io), check_locked_memory(), check_pipe_size(), check_huge_pages(), check_cores(), check_clock()};
}

std::vector<CheckResult> check_file_system(FileSystem& files) {
  std::vector<CheckResult> results = {check_free_space(files)};
  Uuid random;
  random_bytes(random.mutable_view());
  const std::string name = ".doctor-" + random.hex();
  const std::string second = name + "-link";
  const auto opened = files.open(name, {.write = true, .create_exclusive = true, .direct = true});
  if (!opened.ok()) {
    results.push_back(failed_check("writing", opened.error()));
    return results;
  }
  check_data(files, *opened, results);
  const auto closed = files.close(opened->fd);
  if (!closed.ok()) results.push_back(failed_check("writing", closed.error()));
  const auto linked = files.link(name, second);
  results.push_back(linked.ok() ? CheckResult{"hard links", State::kGood, "accepted"}
                                : CheckResult{"hard links", State::kNotice,
                                              linked.error().message + "; rename without replacing is used instead"});
  const auto synced = files.sync_directory("");
  results.push_back(synced.ok() ? CheckResult{"directory sync", State::kGood, "accepted"}
                                : failed_check("directory sync", synced.error()));
  for (const std::string& left : {second, name}) {
    if (left == second && !linked.ok()) continue;
    const auto removed = files.remove(left);
    if (!removed.ok()) results.push_back({"removing", State::kBad, removed.error().message});
  }
  return results;
}

}  // namespace drs
