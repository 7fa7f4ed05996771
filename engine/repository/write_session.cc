#include "engine/repository/write_session.h"

#include <unistd.h>

#include <algorithm>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/repository/removal.h"
#include "io/base/error_class.h"
#include "io/failpoint.h"
#include "io/helper_thread.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr int kNamesTriedMax = 32;  // for one heartbeat: far more than copies of one snapshot that run at once
// The first number of an attempt lies in this part of the numbers that are left, so that the heartbeats of this attempt
// and the next attempts have room: 12 million numbers where no object is left, some 20,000 after a hundred attempts
// that left theirs.
constexpr std::uint32_t kFirstNumberPart = 8;

// `next`: above the numbers of all listed objects of the session.
std::uint32_t draw_first_number(std::uint32_t next) {
  if (next > kNumberInNameMax) return next;
  FixedBytes<8> drawn;
  random_bytes(drawn.mutable_view());
  const std::uint32_t numbers = (kNumberInNameMax - next) / kFirstNumberPart + 1;
  return next + static_cast<std::uint32_t>(ByteReader(drawn.view(), "a random number").u64() % numbers);
}

Error fenced(const std::string& name) {
  return {ErrorCode::kConflict, name + " was fenced by a prune while this session was running; run the command again"};
}

}  // namespace

Result<std::unique_ptr<WriteSession>> WriteSession::begin(Repository& repository, ObjectStore& store, Identity identity,
                                                          HeartbeatPace pace) {
  std::unique_ptr<WriteSession> session(new WriteSession(repository, store, pace));
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
    session->number_next_ = draw_first_number(session->number_next_);
  } else {
    DRS_ASSIGN_OR_RETURN(session->retired_before_, list_retired(store, tag));
    random_bytes(record.session.mutable_view());
  }
  record.stream = std::move(identity.stream);
  record.host = keep_beginning(std::move(identity.host), kManifestHostBytesMax);
  record.process = static_cast<std::uint64_t>(::getpid());
  record.started_ns = identity.started_ns != 0 ? identity.started_ns : repository.clock().wall_ns();
  DRS_RETURN_IF_ERROR(session->start());
  return session;
}

WriteSession::~WriteSession() {
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

Result<void> WriteSession::start() {
  DRS_RETURN_IF_ERROR(write_record(store_));
  DRS_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> store, repository_.store().clone());
  const auto on_thrown = [this](Error thrown) {
    const std::lock_guard lock(mutex_);
    if (heartbeat_result_.ok()) heartbeat_result_ = std::move(thrown);
  };
  DRS_ASSIGN_OR_RETURN(thread_, start_helper_thread([this, store = std::move(store)] { beat(*store); }, on_thrown));
  return {};
}

Result<void> WriteSession::write_record(ObjectStore& store) {
  record_.heartbeat_ns = repository_.clock().wall_ns();
  last_beat_ = repository_.clock().steady();
  // Each attempt has its own name: an earlier attempt whose answer was lost may have stored an object with another
  // time. A name that is taken belongs to another copy of the same snapshot, which has the same session: leave it to
  // that copy.
  for (int tries = 0; tries < kNamesTriedMax; ++tries) {
    // Anyone with write access to the store can put an object with any number.
    if (number_next_ > kNumberInNameMax)
      return Error(
          ErrorCode::kConflict,
          "the name of an object under sessions/ states that session " + record_.session.hex() + " has had " +
              std::to_string(kNumberInNameMax) +
              " heartbeats, which drstream never reaches: remove it, since drstream did not write it, and run the "
              "command again");
    const StreamTag tag = repository_.keys().stream_tag(record_.stream);
    const std::string name = session_name(tag, record_.session, number_next_++);
    written_.push_back(name);
    const Bytes object = encode_document(repository_.keys(), ObjectKind::kSession, name, encode_session(record_));
    const PutOutcome put = settle_put(store, name, object, put_object(store, name, object));
    if (put.stored()) return failpoint("push.session");
    if (put.state != PutOutcome::State::kOtherBytes) return put.result();
    written_.pop_back();
  }
  return Error(ErrorCode::kBusy, std::to_string(kNamesTriedMax) + " names in a row were taken for session " +
                                     record_.session.hex() + " under sessions/, by other copies of the same snapshot");
}

void WriteSession::beat(ObjectStore& store) {
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

Result<void> WriteSession::heartbeat_result() const {
  const std::lock_guard lock(mutex_);
  return heartbeat_result_;
}

RemovalLook WriteSession::removals() const {
  return {.older = retired_before_, .damaged = RemovalLook::Damaged::kIsAnError};
}

Result<void> WriteSession::check_not_fenced() {
  const std::string name = manifest_name(repository_.keys().stream_tag(record_.stream), record_.session);
  const auto fence = store_.stat(name);
  if (fence.ok()) return fenced(name);
  if (!is_absent(fence.error())) return fence.error();
  // A prune deletes a fence when a retired object stands for it.
  DRS_ASSIGN_OR_RETURN(const auto removed, removal_of(repository_.keys(), store_, name, removals()));
  if (removed) return fenced(name);
  return {};
}

Error WriteSession::explain(Error error) {
  if (error.code != ErrorCode::kIo && !is_object_fault(error)) return error;
  auto open = check_not_fenced();
  return !open.ok() && open.error().code == ErrorCode::kConflict ? std::move(open).error() : error;
}

Result<std::pair<std::string, Digest>> WriteSession::commit(const Manifest& manifest) {
  const std::string name = manifest_name(repository_.keys().stream_tag(manifest.stream), manifest.session);
  DRS_ASSIGN_OR_RETURN(const Bytes body, encode_manifest(manifest));
  // Do not store a manifest that readers would refuse: the push would succeed, but the snapshot could not be restored.
  if (const auto read = decode_manifest(body); !read.ok())
    return Error(ErrorCode::kInternal, "readers would refuse the manifest of this push: " + read.error().message);
  const Bytes object = encode_document(repository_.keys(), ObjectKind::kManifest, name, body);
  DRS_ASSIGN_OR_RETURN(const Digest digest, commit(name, object));
  return std::pair(name, digest);
}

Result<Digest> WriteSession::commit(const std::string& name, ByteView object) {
  DRS_RETURN_IF_ERROR(failpoint("push.before_manifest"));
  commit_in_doubt_ = true;
  LookAfterCancel look;
  auto created = put_object(store_, name, object);
  if (created.ok()) created = failpoint("push.after_manifest");
  // Whatever the answer was, the object that has the name now decides: the manifest after a lost reply, or a prune's
  // fence.
  const PutOutcome put = settle_put(store_, name, object, created, {.read_back_always = true, .after_cancel = &look});
  if (!put.stored()) return uncommitted(name, put, created, look);
  const auto removed = look([&] { return removal_of(repository_.keys(), store_, name, removals()); });
  commit_in_doubt_ = !removed.ok();
  if (removed.ok() && *removed) {
    if ((*removed)->is_fence()) return fenced(name);
    return Error(ErrorCode::kConflict, name + " was marked as removed while it was being committed");
  }
  if (!removed.ok())
    return Error(ErrorCode::kUnsettled, "the manifest " + name +
                                            " is written and reads back correctly, but whether it was " +
                                            "marked as removed in the meantime is unknown: " + removed.error().message);
  committed_ = true;
  return document_identity(object);
}

// The error for a manifest that is not known to be committed. `answer`: of its first put.
Error WriteSession::uncommitted(const std::string& name, const PutOutcome& put, const Result<void>& answer,
                                LookAfterCancel& look) {
  const auto unread = [&](const Error& error) {
    if (leaves_commit_in_doubt(error.code)) return error.with_context("reading back " + name);
    return Error(ErrorCode::kUnsettled, "the manifest " + name + (answer.ok() ? " is" : " may be") +
                                            " written, but cannot be read back: " + error.message);
  };
  switch (put.state) {
    case PutOutcome::State::kFailed: {
      const auto there = look([&] { return store_.stat(name); });
      if (!there.ok() && is_absent(there.error())) {
        // A refused put never appears (ObjectStore). After any other error the manifest may appear later.
        const ErrorCode code = put.error->code;
        commit_in_doubt_ = code != ErrorCode::kNoSpace && code != ErrorCode::kDenied;
        return *put.error;
      }
      const std::string state = there.ok() ? " is written, but may not last: " : " may be written: ";
      return {ErrorCode::kUnsettled, "the manifest " + name + state + put.error->message, put.error->error_number};
    }
    case PutOutcome::State::kMayAppear:
      if (put.error->code == ErrorCode::kUnavailable) return *put.error;
      return {ErrorCode::kUnsettled,
              "the manifest " + name + " is missing, but may still appear: " + put.error->message,
              put.error->error_number};
    case PutOutcome::State::kOtherBytes: {
      if (answer.ok())
        return {ErrorCode::kCorrupt, "reading back " + name + ": it was just stored, but reads back differently"};
      const auto there = look([&] { return get_object(store_, name, kDocumentBytesMax); });
      if (!there.ok()) return unread(there.error());
      if (!is_fence(repository_.keys(), name, *there)) return put.error->with_context("committing " + name);
      commit_in_doubt_ = false;
      return fenced(name);
    }
    case PutOutcome::State::kStored:  // not a failure
    case PutOutcome::State::kUnread: break;
  }
  return unread(*put.error);
}

bool leaves_commit_in_doubt(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kTruncated || code == ErrorCode::kUnavailable ||
         code == ErrorCode::kUnsettled;
}

}  // namespace drs
