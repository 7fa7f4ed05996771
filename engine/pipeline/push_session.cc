#include "engine/pipeline/push_session.h"

#include <regex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "io/failpoint.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

constexpr int kNamesTriedMax = 32;  // for one heartbeat: far more than copies of one snapshot run at once

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g %%", share * 100);
  return text.data();
}

Error fenced(const std::string& name) {
  return {ErrorCode::kConflict, name + " was fenced by a prune while this session was under way; run it again"};
}

bool is_cancel(const Error& error) {
  return error.code == ErrorCode::kCancelled;
}

// A compiled regular expression of the C library: unlike std::regex it does not recurse for every byte of the text.
class Pattern {
 public:
  static Result<std::unique_ptr<Pattern>> compile(const std::string& text) {
    std::unique_ptr<Pattern> pattern(new Pattern);
    const int status = ::regcomp(&pattern->compiled_, text.c_str(), REG_EXTENDED | REG_NEWLINE);
    if (status == 0) {
      pattern->valid_ = true;
      return pattern;
    }
    std::array<char, 256> why{};
    ::regerror(status, &pattern->compiled_, why.data(), why.size());
    return Error(ErrorCode::kUsage, "'" + text + "' is not a POSIX extended regular expression: " + why.data());
  }
  ~Pattern() {
    if (valid_) ::regfree(&compiled_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  [[nodiscard]] bool matches(ByteView text) const {
    // With a zero behind it, for who does not know that REG_STARTEND needs none (AddressSanitizer).
    const std::string terminated(as_text(text));
    regmatch_t range{};
    range.rm_so = 0;
    range.rm_eo = static_cast<regoff_t>(terminated.size());
    return ::regexec(&compiled_, terminated.c_str(), 0, &range, REG_STARTEND) == 0;
  }

 private:
  Pattern() = default;
  regex_t compiled_{};
  bool valid_ = false;
};

}  // namespace

Result<void> validate(const PushGates& gates) {
  if (gates.trailer_pattern.empty()) return {};
  DRS_RETURN_IF_ERROR(check_trailer_pattern_bytes(gates.trailer_pattern));
  const auto pattern = Pattern::compile(gates.trailer_pattern);
  if (!pattern.ok()) return pattern.error();
  return {};
}

Result<std::unique_ptr<PushSession>> PushSession::begin(Repository& repository, ObjectStore& store, Identity identity,
                                                        HeartbeatPace pace) {
  std::unique_ptr<PushSession> session(new PushSession(repository, store, pace));
  SessionRecord& record = session->record_;
  const StreamTag tag = repository.keys().stream_tag(identity.stream);
  if (identity.session) {
    record.session = *identity.session;
    DRS_RETURN_IF_ERROR(store.list("sessions/", [&](const ObjectInfo& info) -> Result<void> {
      const auto parsed = parse_name(info.key);
      if (parsed && parsed->kind == ObjectKind::kSession && parsed->uuid == record.session && parsed->tag == tag) {
        session->number_next_ = std::max(session->number_next_, parsed->number + 1);
        session->earlier_.push_back(info.key);
      }
      return {};
    }));
  } else {
    random_bytes(record.session.mutable_view());
  }
  record.stream = std::move(identity.stream);
  record.host = keep_beginning(std::move(identity.host), kManifestHostBytesMax);
  record.process = static_cast<std::uint64_t>(::getpid());
  record.started_ns = identity.started_ns != 0 ? identity.started_ns : repository.clock().wall_ns();
  DRS_RETURN_IF_ERROR(session->start());
  return session;
}

PushSession::~PushSession() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (commit_in_doubt_) return;
  std::vector<ObjectKey> records = written_;
  if (committed_) records.insert(records.end(), earlier_.begin(), earlier_.end());
  static_cast<void>(store_.remove_all(records));
}

Result<void> PushSession::start() {
  DRS_RETURN_IF_ERROR(write_record(store_));
  DRS_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> store, repository_.store().another());
  const auto on_thrown = [this](Error thrown) {
    const std::lock_guard lock(mutex_);
    if (heartbeat_result_.ok()) heartbeat_result_ = std::move(thrown);
  };
  DRS_ASSIGN_OR_RETURN(thread_, start_helper_thread([this, store = std::move(store)] { beat(*store); }, on_thrown));
  return {};
}

Result<void> PushSession::write_record(ObjectStore& store) {
  record_.heartbeat_ns = repository_.clock().wall_ns();
  last_beat_ = repository_.clock().steady();
  // Each try has a name of its own: what an earlier one stored whose answer was lost holds another time. A name that is
  // taken is of another copy of the same snapshot, which has the same session: it is left to that copy.
  for (int tries = 0; tries < kNamesTriedMax; ++tries) {
    // Anybody who can write to the store can leave any number there.
    if (number_next_ > kNumberInNameMax)
      return Error(
          ErrorCode::kConflict,
          "an object under sessions/ says that session " + record_.session.hex() + " has had " +
              std::to_string(kNumberInNameMax) +
              " heartbeats, which none of ours has: remove it (`drstream` never wrote it), and run this again");
    const StreamTag tag = repository_.keys().stream_tag(record_.stream);
    const std::string name = session_name(tag, record_.session, number_next_++);
    written_.push_back(name);
    const Bytes object = encode_document(repository_.keys(), ObjectKind::kSession, name, encode_session(record_));
    const auto stored = put_own_object(store, name, object);
    if (stored.ok()) return failpoint("push.session");
    if (stored.error().code != ErrorCode::kAlreadyExists) return stored;
    written_.pop_back();
  }
  return Error(ErrorCode::kBusy, std::to_string(kNamesTriedMax) + " names in a row were taken for session " +
                                     record_.session.hex() + " under sessions/, by other copies of the same snapshot");
}

void PushSession::beat(ObjectStore& store) {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, pace_.look_every, [&] { return stop_; })) {
    if (repository_.clock().steady() - last_beat_ < pace_.every) continue;
    lock.unlock();
    auto written = write_record(store);
    lock.lock();
    if (!written.ok() && written.error().code != ErrorCode::kUnavailable && heartbeat_result_.ok())
      heartbeat_result_ = std::move(written);
  }
}

Result<void> PushSession::heartbeat_result() const {
  const std::lock_guard lock(mutex_);
  return heartbeat_result_;
}

Result<void> PushSession::check_not_fenced() {
  const std::string name = manifest_name(repository_.keys().stream_tag(record_.stream), record_.session);
  const auto fence = store_.stat(name);
  if (fence.ok()) return fenced(name);
  if (fence.error().code != ErrorCode::kNotFound) return fence.error();
  return {};
}

Result<std::pair<std::string, Digest>> PushSession::commit(const Manifest& manifest) {
  const std::string name = manifest_name(repository_.keys().stream_tag(manifest.stream), manifest.session);
  DRS_ASSIGN_OR_RETURN(const Bytes body, encode_manifest(manifest));
  // What no reader takes is not stored: the push would have succeeded, and nothing could be restored.
  if (const auto read = decode_manifest(body); !read.ok())
    return Error(ErrorCode::kInternal,
                 "the manifest of this push is one that no reader takes: " + read.error().message);
  const Bytes object = encode_document(repository_.keys(), ObjectKind::kManifest, name, body);
  DRS_ASSIGN_OR_RETURN(const Digest digest, commit(name, object));
  return std::pair(name, digest);
}

Result<Digest> PushSession::commit(const std::string& name, ByteView object) {
  DRS_RETURN_IF_ERROR(failpoint("push.before_manifest"));
  commit_in_doubt_ = true;
  auto created = put_object(store_, name, object);
  if (created.ok()) created = failpoint("push.after_manifest");
  // Whatever the answer was, what stands there now decides: a lost reply, or somebody else's fence.
  const auto is_open = [](const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kAlreadyExists || is_cancel(error);
  };
  // A signal ends what waits for the store. What is asked after it still gets a short time, so a look that it ended is
  // made once more.
  bool looked_after_cancel = !created.ok() && is_cancel(created.error());
  const auto look = [&](const auto& read) {
    auto result = read();
    if (result.ok() || !is_cancel(result.error()) || std::exchange(looked_after_cancel, true)) return result;
    return read();
  };
  if (!created.ok() && !is_open(created.error())) {
    const auto there = look([&] { return store_.stat(name); });
    if (!there.ok() && there.error().code == ErrorCode::kNotFound) {
      // A put that was refused never appears (ObjectStore). After any other error the manifest may come back.
      const ErrorCode code = created.error().code;
      commit_in_doubt_ = code != ErrorCode::kNoSpace && code != ErrorCode::kDenied;
      return created.error();
    }
    const std::string state = there.ok() ? " is written, but may not last: " : " may be written: ";
    return Error(ErrorCode::kUnsettled, "the manifest " + name + state + created.error().message,
                 created.error().error_number);
  }
  bool fence = false;
  const auto read_back = [&]() -> Result<void> {
    DRS_ASSIGN_OR_RETURN(const Bytes stored, get_object(store_, name, kDocumentBytesMax));
    if (std::equal(stored.begin(), stored.end(), object.begin(), object.end())) return {};
    fence = is_fence(repository_.keys(), name, stored);
    return Error(ErrorCode::kCorrupt, "it was just stored and reads back differently");
  };
  const auto stands = [&] { return look([&] { return read_again_if_damaged(read_back); }); };
  auto stored = stands();
  if (!stored.ok() && stored.error().code == ErrorCode::kNotFound && !created.ok()) {
    const auto may_appear = [&](const Error& error) {
      return Error(ErrorCode::kUnsettled,
                   "the manifest " + name + " is not there, but may still appear: " + error.message,
                   error.error_number);
    };
    if (is_cancel(created.error())) return may_appear(created.error());
    const auto again = put_object(store_, name, object);
    if (!again.ok() && !is_open(again.error())) return may_appear(again.error());
    looked_after_cancel = looked_after_cancel || (!again.ok() && is_cancel(again.error()));
    stored = stands();
    // A name that is taken, and at which nothing is found, may be taken by our manifest.
    if (!stored.ok() && stored.error().code == ErrorCode::kNotFound && !again.ok())
      return again.error().code == ErrorCode::kUnavailable ? again.error() : may_appear(again.error());
  }
  if (!stored.ok() && stored.error().code == ErrorCode::kCorrupt && fence && !created.ok()) {
    commit_in_doubt_ = false;
    return fenced(name);
  }
  if (!stored.ok()) {
    const ErrorCode code = stored.error().code;
    if (code == ErrorCode::kCorrupt || code == ErrorCode::kTruncated || code == ErrorCode::kUnavailable)
      return std::move(stored).error().with_context("reading back " + name);
    return Error(ErrorCode::kUnsettled, "the manifest " + name + (created.ok() ? " is" : " may be") +
                                            " written, but cannot be read back: " + stored.error().message);
  }
  const auto removed = look([&] { return removal_of(repository_.keys(), store_, name); });
  commit_in_doubt_ = !removed.ok();
  if (removed.ok() && *removed)
    return Error(ErrorCode::kConflict, name + " was marked as removed while it was being made");
  if (!removed.ok())
    return Error(ErrorCode::kUnsettled, "the manifest " + name +
                                            " is written and reads back whole, but whether it was " +
                                            "marked as removed meanwhile cannot be told: " + removed.error().message);
  committed_ = true;
  return document_identity(object);
}

std::vector<std::string> check_gates(const PushGates& gates, std::uint64_t bytes, ByteView tail,
                                     const Snapshot* previous) {
  std::vector<std::string> problems;
  if (bytes == 0 && !gates.allow_empty) problems.push_back("the stream is empty (allow it with --allow-empty)");
  if (gates.bytes_min && bytes < *gates.bytes_min)
    problems.push_back("the stream has " + std::to_string(bytes) + " bytes, fewer than --min-size " +
                       std::to_string(*gates.bytes_min));
  if (previous != nullptr) {
    const auto before = static_cast<double>(previous->manifest.bytes);
    const auto now = static_cast<double>(bytes);
    const std::string compared = std::to_string(bytes) + " bytes against " + std::to_string(previous->manifest.bytes) +
                                 " in snapshot " + previous->id();
    if (gates.shrink_max && now < before * (1 - *gates.shrink_max))
      problems.push_back("the stream shrank by more than --max-shrink " + percent(*gates.shrink_max) + ": " + compared);
    if (gates.growth_max && now > before * (1 + *gates.growth_max))
      problems.push_back("the stream grew by more than --max-growth " + percent(*gates.growth_max) + ": " + compared);
  }
  if (!gates.trailer_pattern.empty()) {
    const auto pattern = Pattern::compile(gates.trailer_pattern);
    if (!pattern.ok() || !(*pattern)->matches(tail))
      problems.push_back("the last " + std::to_string(tail.size()) + " bytes do not match --require-trailer '" +
                         gates.trailer_pattern + "'");
  }
  return problems;
}

}  // namespace drs
