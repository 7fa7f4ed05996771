#include "tools/commands/doctor_checks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "codecs/random.h"
#include "engine/format/names.h"
#include "engine/format/object_rules.h"
#include "engine/repository/lost_config.h"
#include "sinks/object_io.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/resource_defaults.h"

namespace drs {
namespace {

namespace fs = std::filesystem;

using State = CheckResult::State;

constexpr std::uint64_t kPipeBytesWanted = 1 * kMiB;
constexpr std::uint64_t kFreeBytesLow = 1 * kGiB;
constexpr std::size_t kSampledKinds = 4;  // the first kinds, without which nothing can be restored
constexpr std::size_t kSampleBytes = 4096;

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

CheckResult check_cores(const CgroupLimits& limits) {
  const std::size_t cores = usable_cores(limits);
  if (!limits.cpu) return {"cores", State::kGood, fmt::format("{}", cores)};
  return {"cores", State::kGood,
          fmt::format("{}: the CPU quota is {:.3g} of {} cores ({})", cores, limits.cpu->cores,
                      std::thread::hardware_concurrency(), limits.cpu->file)};
}

// Snapshots carry this clock's times, which selection by time and retention use.
CheckResult check_clock() {
  const std::time_t now = std::time(nullptr);
  constexpr std::time_t kYear2025 = 1735689600;
  if (now < kYear2025) return {"clock", State::kBad, "this machine's clock is set before 2025"};
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

// A page that is aligned for O_DIRECT.
struct alignas(kDirectAlignment) Page {
  std::array<Byte, kDirectAlignment> bytes{};
};

std::int64_t perform(Ring& ring, IoOperation operation) {
  bool done = false;
  operation.owner = &done;
  operation.done = [](IoOperation& finished) { *static_cast<bool*>(finished.owner) = true; };
  ring.submit(operation);
  while (!done)
    if (const auto ran = ring.run(Wait::kForOne); !ran.ok()) return -EIO;
  return operation.result;
}

// Writes a page, syncs it and reads it back: that a file system accepts flags when a file is opened does not mean that
// they work.
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
  constexpr auto kTransferBytes = std::int64_t{kPageBytes};
  Page written;
  Page found;
  random_bytes(written.bytes);
  CheckResult direct{"O_DIRECT", State::kGood, "works"};
  if (!file.direct) direct = {"O_DIRECT", State::kNotice, "refused: data goes through the page cache"};
  const auto transfer = [&](IoKind kind, Page& page) -> std::int64_t {
    std::int64_t moved = 0;
    while (moved < kTransferBytes) {
      const auto at = static_cast<std::size_t>(moved);
      const IoOperation operation{
          .kind = kind, .fd = file.fd, .offset_bytes = at, .bytes = MutableByteView(page.bytes).subspan(at)};
      const std::int64_t result = perform(**ring, operation);
      if (result == -EINVAL && file.direct) {
        direct = {"O_DIRECT", State::kNotice,
                  fmt::format("accepted, but {} with it are refused (larger sectors, or no support in the file "
                              "system): data goes through the page cache",
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
  if (const auto result = transfer(IoKind::kWrite, written); result != kTransferBytes) return bad("a write", result);
  const auto synced = perform(**ring, {.kind = IoKind::kSyncData, .fd = file.fd, .bytes = {}});
  if (synced < 0) return bad("the sync of a write", synced);
  if (const auto result = transfer(IoKind::kRead, found); result != kTransferBytes) return bad("a read", result);
  if (found.bytes != written.bytes) {
    results.push_back(
        {"writing", State::kBad, "the bytes that were read back differ from those written: do not use this disk"});
    return;
  }
  results.push_back({"writing", State::kGood, "a file was written, synced and read back"});
  results.push_back(std::move(direct));
}

// The newest object of each kind.
Result<std::map<ObjectKind, ObjectInfo>> newest_objects(ObjectStore& store) {
  std::map<ObjectKind, ObjectInfo> newest;
  std::vector<std::string_view> prefixes;
  for (const ObjectRule& rule : object_rules()) prefixes.push_back(rule.prefix);
  DRS_RETURN_IF_ERROR(store.list_together(prefixes, [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (!parsed) return {};
    const auto [at, first] = newest.emplace(parsed->kind, info);
    if (!first && info.modified_ns > at->second.modified_ns) at->second = info;
    return {};
  }));
  return newest;
}

}  // namespace

CheckResult failed_check(std::string name, const Error& error) {
  return {std::move(name), State::kBad, error.message, error.code};
}

std::vector<CheckResult> check_machine(IoChoice io, const CgroupLimits& limits) {
  return {check_io(io),       check_locked_memory(), check_pipe_size(),
          check_huge_pages(), check_cores(limits),   check_clock()};
}

CheckResult check_memory_limit(const CgroupLimits& limits, std::uint64_t memory_bytes) {
  CheckResult result{"memory limit", State::kGood, "none"};
  if (!limits.memory) return result;
  result.detail = fmt::format("{} ({})", format_size(limits.memory->bytes), limits.memory->file);
  if (memory_bytes + kProgramBytes > limits.memory->bytes) {
    result.state = State::kNotice;
    result.detail += fmt::format("; --memory {} and {} for the program are more: the kernel may kill drstream",
                                 format_size(memory_bytes), format_size(kProgramBytes));
  }
  if (const auto room = check_room_for_passphrase(limits); !room.ok()) {
    result.state = State::kNotice;
    result.detail += fmt::format("; too little for a passphrase, which needs {}", format_size(kPassphraseBytes));
  }
  return result;
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

namespace {

// The lowest directory of `path` that exists, or what stands in its place.
fs::path existing_part(fs::path path) {
  std::error_code unknown;
  while (path.has_relative_path() && !fs::exists(fs::symlink_status(path, unknown))) path = path.parent_path();
  return path.empty() ? fs::path(".") : path;
}

// nullopt: this user can make files there.
std::optional<Error> refused_directory(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return error_from_errno(errno, "look at '" + path.string() + "'");
  if (!S_ISDIR(status.st_mode)) return Error(ErrorCode::kUsage, "'" + path.string() + "' is not a directory");
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return std::nullopt;
  return error_from_errno(errno, "write in '" + path.string() + "'");
}

}  // namespace

CheckResult check_state_directory(const std::string& path) {
  constexpr const char* kName = "state directory";
  if (path.empty()) return {kName, State::kNotice, "none: no removal of the newest snapshots is noticed; --state-dir"};
  std::vector<fs::path> directories = {existing_part(path)};
  std::error_code unreadable;
  const fs::path heads = fs::path(path) / "heads";
  if (fs::exists(heads, unreadable)) directories.push_back(heads);
  for (const auto& entry : fs::directory_iterator(heads, unreadable)) directories.push_back(entry.path());
  for (const fs::path& directory : directories)
    if (auto refused = refused_directory(directory))
      return failed_check(kName,
                          Error(refused->code,
                                refused->message + ": no head can be recorded, and the removal of snapshots goes "
                                                   "unnoticed; give it to this user, or name another --state-dir",
                                refused->error_number));
  return {kName, State::kGood, path};
}

StoredObjects check_stored_objects(ObjectStore& store) {
  const auto newest = newest_objects(store);
  if (!newest.ok()) return {{failed_check("reading", newest.error())}};
  StoredObjects out;
  const bool has_slots = newest->contains(ObjectKind::kSlot);
  if (!newest->contains(ObjectKind::kConfig)) {
    // Key slots alone are what a killed init leaves behind.
    if (newest->size() > (has_slots ? 1U : 0U))
      out.checks = {failed_check("repository", no_repository_error(store))};
    else
      out.checks = {{"repository", State::kNotice, fmt::format("none at this place, {}", store.io_description())}};
    return out;
  }
  if (!has_slots) {
    out.checks = {failed_check(
        "repository", Error(ErrorCode::kCorrupt, fmt::format("{} holds no key slot (nothing under keys/): no key opens "
                                                             "this repository; copy keys/ from a replica or a backup "
                                                             "of it to this place",
                                                             store.name_for_messages())))};
    return out;
  }
  out.has_repository = true;
  out.checks = {{"repository", State::kGood, fmt::format("found, {}", store.io_description())}};
  std::string read;
  Bytes sample(kSampleBytes);
  for (const ObjectRule& rule : object_rules().first(kSampledKinds)) {
    const auto object = newest->find(rule.kind);
    if (object == newest->end()) continue;
    const auto bytes = std::min<std::uint64_t>(object->second.size_bytes, sample.size());
    const auto got = get_range(store, object->second.key, 0, MutableByteView(sample).first(bytes));
    if (!got.ok()) {
      out.checks.push_back(failed_check("reading", got.error().with_context(object->second.key)));
      continue;
    }
    read += (read.empty() ? "" : ", ") + std::string(object_kind_name(rule.kind));
  }
  if (out.checks.size() == 1)
    out.checks.push_back(
        {"reading", State::kGood, "every folder can be listed, and the newest of each can be read: " + read});
  return out;
}

}  // namespace drs
