#include "tools/repository/heads.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "io/fd.h"
#include "tools/output/printable.h"
#include "tools/output/replace_file.h"

namespace drs {
namespace {

constexpr std::string_view kSchema = "drstream.head/1";
constexpr std::string_view kSuffix = ".json";

// A path is bytes. One that is not UTF-8 becomes {"hex": "..."}: JSON has no string for it, and two places must not
// look alike.
nlohmann::ordered_json encode_bytes(const std::string& bytes) {
  if (is_utf8(bytes)) return bytes;
  return {{"hex", to_hex(as_bytes(bytes))}};
}

std::string decode_bytes(const nlohmann::json& json) {
  if (json.is_string()) return json.get<std::string>();
  const auto hex = json.is_object() ? json.find("hex") : json.end();
  if (!json.is_object() || hex == json.end() || !hex->is_string()) return {};
  const auto digits = hex->get<std::string>();
  Bytes bytes(digits.size() / 2);
  return from_hex(digits, bytes) ? std::string(as_text(bytes)) : std::string();
}

void encode_snapshot(const Head& head, nlohmann::ordered_json& out) {
  out["sequence"] = head.sequence;
  out["manifest_digest"] = head.manifest_digest.hex();
  out["manifest"] = head.manifest_name;
  out["finished_ns"] = head.finished_ns;
}

// Of one stream at one place, newest first.
std::string encode_heads(const std::vector<Head>& heads) {
  const Head& newest = heads.front();
  nlohmann::ordered_json out;
  out["schema"] = kSchema;
  out["stream"] = encode_bytes(newest.stream);
  encode_snapshot(newest, out);
  out["place"] = encode_bytes(newest.place);
  out["slot"] = newest.slot.hex();
  for (std::size_t i = 1; i < heads.size(); ++i) encode_snapshot(heads[i], out["others"].emplace_back());
  return out.dump(2) + "\n";
}

std::string string_of(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() ? decode_bytes(*found) : std::string();
}

// Reads the fields that identify a snapshot into a head whose other fields are known. False: they are invalid.
bool decode_snapshot(const nlohmann::json& json, Head& head) {
  if (!json.is_object()) return false;
  head.manifest_name = string_of(json, "manifest");
  const auto sequence = json.find("sequence");
  const auto finished = json.find("finished_ns");
  const bool good = sequence != json.end() && sequence->is_number_unsigned() && finished != json.end() &&
                    finished->is_number_integer() &&
                    from_hex(string_of(json, "manifest_digest"), head.manifest_digest.mutable_view());
  if (!good) return false;
  head.sequence = sequence->get<std::uint64_t>();
  head.finished_ns = finished->get<std::int64_t>();
  return true;
}

// Empty: the text holds no heads.
std::vector<Head> decode_heads(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || string_of(json, "schema") != kSchema) return {};
  Head head;
  head.stream = string_of(json, "stream");
  head.place = string_of(json, "place");
  if (head.stream.empty() || !decode_snapshot(json, head)) return {};
  if (!from_hex(string_of(json, "slot"), head.slot.mutable_view())) head.slot = {};
  std::vector<Head> heads = {head};
  const auto others = json.find("others");
  if (others == json.end()) return heads;
  if (!others->is_array()) return {};
  for (const auto& other : *others) {
    if (!decode_snapshot(other, head)) return {};
    heads.push_back(head);
  }
  return heads;
}

// A head takes some hundred bytes, so that all of a stream fit. Anything else under the name, a FIFO or a link to a
// device, must not block.
constexpr std::size_t kHeadFileBytesMax = 64 * kKiB;

// Empty: there is no such file.
Result<std::vector<Head>> load_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::vector<Head>();
    return error_from_errno(errno, "read the head " + path);
  }
  struct stat status {};
  std::string text(kHeadFileBytesMax, '\0');
  const bool regular = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t got = regular ? ::read(file.get(), text.data(), text.size()) : -1;
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  auto heads = decode_heads(text);
  if (heads.empty())
    return Error(ErrorCode::kCorrupt, "the head " + path + " cannot be read; remove it to start again");
  return heads;
}

bool newer(const Head& a, const Head& b) {
  return std::tie(a.sequence, a.finished_ns, a.manifest_name) > std::tie(b.sequence, b.finished_ns, b.manifest_name);
}

// Held while a head is written. A push that has committed does not wait indefinitely to record it.
constexpr std::chrono::seconds kLockTimeMax(10);
constexpr std::chrono::milliseconds kLockPause(10);

// A lock on the directory, until the Fd is closed. On file systems without such locks there is none.
Result<Fd> lock_directory(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return error_from_errno(errno, "open " + path);
  const auto give_up = std::chrono::steady_clock::now() + kLockTimeMax;
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    if (std::chrono::steady_clock::now() > give_up)
      return Error(ErrorCode::kBusy, "another process keeps " + path + " locked");
    std::this_thread::sleep_for(kLockPause);
  }
  return fd;
}

// What `stream` shows now, for messages.
std::string latest_seen(std::string_view stream, const SnapshotCatalog& catalog) {
  const Snapshot* const latest = catalog.latest(stream);
  if (latest == nullptr) return "the stream has no snapshot now";
  return fmt::format("its newest is now sequence {} ({})", latest->manifest.sequence, latest->id());
}

}  // namespace

HeadDirectory::HeadDirectory(std::string state_dir, const Uuid& repository, HeadPlace place)
    : directory_(state_dir.empty() ? "" : std::move(state_dir) + "/heads/" + repository.hex()),
      place_(std::move(place)) {}

std::string HeadDirectory::path_of(std::string_view stream) const {
  return path_of(StreamAt{.stream = stream, .place = place_.address});
}

std::string HeadDirectory::path_of(const Head& head) const {
  return path_of(StreamAt{.stream = head.stream, .place = head.place});
}

std::string HeadDirectory::path_of(const StreamAt& at) const {
  const std::string named = std::string(at.place) + "\n" + std::string(at.stream);
  return directory_ + "/" + sha256(as_bytes(named)).hex() + std::string(kSuffix);
}

// Whether the head was seen here, also if the directory was moved since, or has another name, as with a bind mount. A
// replica has the same id, and its original may be gone or not mounted; but it has other key slots, and adding a slot
// takes a key that opens the repository.
bool HeadDirectory::is_here(const Head& head) const {
  const std::string& here = place_.address;
  if (head.place == here) return true;
  if (!head.place.starts_with('/') || !here.starts_with('/')) return false;
  std::error_code error;
  if (std::filesystem::equivalent(head.place, here, error)) return true;
  return !std::filesystem::exists(head.place + "/config", error) &&
         std::filesystem::exists(here + "/" + slot_name(head.slot), error);
}

Result<void> HeadDirectory::store(const Head& head, const Known& known) {
  if (directory_.empty()) return {};
  Head seen = head;
  seen.place = place_.address;
  seen.slot = place_.slot;
  // Other users must not see what is backed up here.
  std::error_code error;
  const mode_t mask = ::umask(077);
  std::filesystem::create_directories(directory_, error);
  ::umask(mask);
  if (error) return error_from_errno(error.value(), "create " + directory_);
  DRS_ASSIGN_OR_RETURN(const Fd lock, lock_directory(directory_));
  DRS_ASSIGN_OR_RETURN(std::vector<Head> heads, load_file(path_of(head.stream)));
  std::erase_if(heads, [&](const Head& other) {
    return known.settled.contains(other.manifest_name) || other.manifest_name == head.manifest_name;
  });
  heads.push_back(std::move(seen));
  std::sort(heads.begin(), heads.end(), newer);
  for (auto at = heads.end(); heads.size() > kHeadsMax && at != heads.begin();) {
    --at;
    if (!known.lost.contains(at->manifest_name) && at->manifest_name != head.manifest_name) at = heads.erase(at);
  }
  if (heads.size() > kHeadsMax) heads.resize(kHeadsMax);
  // All heads of one file; their place and slot are those where the last of them was seen.
  for (Head& each : heads) each.slot = place_.slot;
  return write(heads);
}

Result<void> HeadDirectory::write(const std::vector<Head>& heads) const {
  return replace_file(path_of(heads.front()), encode_heads(heads), 0600);
}

Result<std::vector<Head>> HeadDirectory::load(std::string_view stream) const {
  if (directory_.empty()) return std::vector<Head>();
  // An unreadable file does not hide the others.
  DRS_RETURN_IF_ERROR(load_file(path_of(stream)));
  DRS_ASSIGN_OR_RETURN(Recorded recorded, load_all());
  std::erase_if(recorded.heads, [&](const Head& head) { return head.stream != stream; });
  return std::move(recorded.heads);
}

Result<HeadDirectory::Recorded> HeadDirectory::load_all() const {
  Recorded recorded;
  if (directory_.empty()) return recorded;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  if (error == std::errc::no_such_file_or_directory) return recorded;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string path = entry->path().string();
    if (!path.ends_with(kSuffix)) continue;
    const auto heads = load_file(path);
    if (!heads.ok()) {
      recorded.unreadable.push_back(heads.error());
    } else if (!heads->empty()) {
      std::vector<Head>& those = is_here(heads->front()) ? recorded.heads : recorded.elsewhere;
      those.insert(those.end(), heads->begin(), heads->end());
    }
  }
  if (error) return error_from_errno(error.value(), "list " + directory_);
  std::sort(recorded.heads.begin(), recorded.heads.end(),
            [](const Head& a, const Head& b) { return a.stream != b.stream ? a.stream < b.stream : newer(a, b); });
  return recorded;
}

Result<Head> parse_head(std::string_view text) {
  Head head;
  // A stream's name may hold both signs; a digest and a number cannot.
  const std::size_t equals = text.rfind('=');
  const std::size_t colon = text.rfind(':');
  if (equals != std::string_view::npos && colon != std::string_view::npos && equals > 0 && equals < colon) {
    head.stream = text.substr(0, equals);
    const std::string_view number = text.substr(equals + 1, colon - equals - 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), head.sequence);
    if (error == std::errc{} && end == number.data() + number.size() && head.sequence > 0 &&
        from_hex(text.substr(colon + 1), head.manifest_digest.mutable_view()))
      return head;
  }
  return Error(ErrorCode::kUsage,
               fmt::format("'{}' is not a head; accepted is STREAM=SEQUENCE:DIGEST as push prints it, "
                           "such as pg/app=12:3fa0... (64 hex digits)",
                           text));
}

std::string format_head(const Head& head) {
  return fmt::format("{}={}:{}", head.stream, head.sequence, head.manifest_digest.hex());
}

std::optional<std::string> check_head(const Head& head, const SnapshotCatalog& catalog) {
  for (const Snapshot& snapshot : catalog.live) {
    if (snapshot.manifest.stream != head.stream) continue;
    if (snapshot.digest == head.manifest_digest) {
      if (snapshot.manifest.sequence == head.sequence) return {};
      return fmt::format("stream {}: the manifest expected with sequence {} has sequence {}", head.stream,
                         head.sequence, snapshot.manifest.sequence);
    }
    if (!head.manifest_name.empty() && snapshot.name == head.manifest_name)
      return fmt::format("stream {}: {} is not the manifest that was seen: expected digest {}, got {}", head.stream,
                         snapshot.name, head.manifest_digest.hex(), snapshot.digest.hex());
  }
  // The mark of a damaged manifest has not its digest, and perhaps not its stream, but its name.
  for (const RemovedMark& mark : catalog.removed)
    if ((mark.stream == head.stream && mark.manifest_digest == head.manifest_digest) ||
        (!head.manifest_name.empty() && mark.manifest_name == head.manifest_name))
      return {};
  for (const BrokenManifest& broken : catalog.broken)
    if (!head.manifest_name.empty() && broken.name == head.manifest_name) return {};
  return fmt::format(
      "stream {}: sequence {} was seen (manifest digest {}{}) and is gone without an authentic mark of "
      "removal; {}",
      head.stream, head.sequence, head.manifest_digest.hex(),
      head.manifest_name.empty() ? "" : ", " + head.manifest_name, latest_seen(head.stream, catalog));
}

std::set<std::string> settled_by(const Manifest& manifest, const std::vector<Head>& heads,
                                 const SnapshotCatalog& catalog) {
  std::unordered_map<std::string_view, const Snapshot*> live;
  for (const Snapshot& snapshot : catalog.live) live.emplace(snapshot.name, &snapshot);
  std::set<std::string> settled;
  for (const UnreadableManifest& unreadable : manifest.unreadable) settled.insert(unreadable.name);
  std::string_view at = manifest.predecessor_name;
  while (!at.empty() && settled.emplace(at).second) {
    const auto found = live.find(at);
    at = found == live.end() ? std::string_view() : found->second->manifest.predecessor_name;
  }
  for (const Head& head : heads) {
    const bool removed = std::any_of(catalog.removed.begin(), catalog.removed.end(), [&](const RemovedMark& mark) {
      return mark.manifest_name == head.manifest_name && mark.manifest_digest == head.manifest_digest;
    });
    if (removed) settled.insert(head.manifest_name);
    if (check_head(head, catalog)) settled.erase(head.manifest_name);
  }
  return settled;
}

std::vector<LostSnapshot> HeadDirectory::lost_snapshots(const std::vector<Head>& heads,
                                                        const SnapshotCatalog& catalog) const {
  std::vector<LostSnapshot> lost;
  for (const Head& head : heads) {
    auto trouble = check_head(head, catalog);
    if (!trouble) continue;
    if (!head.place.empty()) *trouble += "; its head is in " + path_of(head);
    lost.push_back({head.stream, head.manifest_name, head.sequence, *std::move(trouble)});
  }
  return lost;
}

Result<std::string> private_directory(const std::string& path) {
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return error_from_errno(errno, "make the directory " + path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return error_from_errno(errno, "look at the directory " + path);
  const auto refuse = [&](const std::string& why) { return Error(ErrorCode::kDenied, path + " " + why); };
  if (!S_ISDIR(status.st_mode)) return refuse("is a link, or not a directory");
  if (status.st_uid != ::geteuid()) return refuse(fmt::format("belongs to another user ({})", status.st_uid));
  if ((status.st_mode & 022) != 0) return refuse("can be written by others");
  return path;
}

Result<StateDir> default_state_dir() {
  if (::geteuid() == 0) return StateDir{"/var/lib/drstream"};
  if (const char* const state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return StateDir{std::string(state) + "/drstream"};
  if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/')
    return StateDir{std::string(home) + "/.local/state/drstream"};
  DRS_ASSIGN_OR_RETURN(std::string path, private_directory("/var/tmp/drstream-" + std::to_string(::geteuid())));
  return StateDir{.path = std::move(path), .is_temporary = true};
}

}  // namespace drs
