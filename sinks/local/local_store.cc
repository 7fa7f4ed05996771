#include "sinks/local/local_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "io/failpoint.h"
#include "sinks/local/durable_directories.h"
#include "sinks/local/local_get.h"
#include "sinks/local/local_put.h"
#include "sinks/local/open_objects.h"

namespace drs {
namespace {

constexpr std::string_view kIncoming = ".incoming";

// Unique among all processes and machines that share the directory. If a name is taken nevertheless, its put fails.
std::string random_prefix() {
  std::random_device device;
  std::array<Byte, 12> bytes{};
  for (Byte& b : bytes) b = static_cast<Byte>(device());
  return to_hex(bytes);
}

// What the instances of one store share.
struct Shared {
  std::shared_ptr<FileSystem> files;
  LocalStoreOptions options;
  DirectorySyncs syncs;
  std::atomic<bool> links_work = true;
  std::atomic<std::uint64_t> temporaries = 0;
  const std::string temporary_prefix = random_prefix();
};

// The error that the caller of a put or get sees: a code of the contract, with a message that says what it means.
Error explained(const Error& error, std::string_view action, const ObjectKey& key) {
  Error out = error.with_context(std::string(action) + " '" + key + "'");
  switch (error.code) {
    case ErrorCode::kNoSpace: out.message += "; the disk or the quota is full"; break;
    case ErrorCode::kDenied: out.message += "; this user may not do so, or the file system is read-only"; break;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kUnavailable:
    case ErrorCode::kNotFound:
    case ErrorCode::kCancelled:
    case ErrorCode::kCorrupt:  // not a regular file: a link, a pipe
    case ErrorCode::kBusy:     // no thread could be started
    case ErrorCode::kIo: break;
    default: out.code = ErrorCode::kIo;
  }
  return out;
}

class LocalStore final : public ObjectStore {
 public:
  LocalStore(std::shared_ptr<Shared> shared, std::unique_ptr<Ring> ring)
      : shared_(std::move(shared)),
        files_(*shared_->files),
        ring_(std::move(ring)),
        directories_(files_, shared_->syncs),
        objects_(files_) {}

  // Operations still in flight are given up without their `done`.
  ~LocalStore() override {
    ring_.reset();
    give_up_all(Error(ErrorCode::kCancelled, "the store was closed"));
  }

  void put(PutOperation& operation) override {
    DRS_ASSERT(operation.key.empty() || is_valid_object_key(operation.key), "put with an invalid key");
    puts_.push_back(std::make_unique<LocalPut>(operation, files_, new_temporary()));
  }

  void name(PutOperation& operation, ObjectKey key) override {
    DRS_ASSERT(is_valid_object_key(key), "name with an invalid key");
    static_cast<void>(unnamed(operation));
    operation.key = std::move(key);
  }

  void drop(PutOperation& operation) override {
    LocalPut& put = unnamed(operation);
    put.dropped = true;
    put.give_up(Error(ErrorCode::kCancelled, "dropped"));
  }

  void get(GetOperation& operation) override {
    DRS_ASSERT(is_valid_object_key(operation.key), "get with an invalid key");
    gets_.push_back(std::make_unique<LocalGet>(operation));
  }

  Result<std::size_t> run(bool wait) override {
    start_queued();
    std::size_t finished = finish_ended();
    while (ring_ != nullptr && ring_->in_flight() > 0) {
      const Result<std::size_t> moved = ring_->run(wait && finished == 0 ? Wait::kForOne : Wait::kNo);
      if (!moved.ok()) break_down(moved.error());
      start_queued();
      finished += finish_ended();
      if (finished > 0 || !wait) break;
    }
    // Start what `done` submitted now: the caller may not run the store again for a while.
    start_queued();
    if (ring_ != nullptr && ring_->in_flight() > 0) {
      if (const Result<std::size_t> moved = ring_->run(Wait::kNo); !moved.ok()) break_down(moved.error());
    }
    return finished;
  }

  void wake() override {}
  [[nodiscard]] std::size_t in_flight() const override { return puts_.size() + gets_.size(); }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) DRS_RETURN_IF_ERROR(list_prefix(prefix, visit));
    return {};
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override {
    DRS_ASSIGN_OR_RETURN(const FileInfo info, files_.stat(key));
    if (info.is_directory) return Error(ErrorCode::kNotFound, name_for_messages() + "/" + key + " is a directory");
    return ObjectInfo{key, info.size_bytes, info.modified_ns, 0, info.changed_ns};
  }

  Result<void> remove(const ObjectKey& key) override {
    const auto there = stat(key);  // a directory is no object
    if (!there.ok() && there.error().code != ErrorCode::kCorrupt) return there.error();
    objects_.forget(key);
    DRS_RETURN_IF_ERROR(files_.remove(key));
    DRS_RETURN_IF_ERROR(failpoint("local.after_remove"));
    return shared_->syncs.sync(files_, parent_directory(key));
  }

  Result<void> remove_all(std::span<const ObjectKey> keys) override { return remove_each(*this, keys); }

  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    std::set<std::string> directories;
    for (const ObjectKey& key : keys) directories.insert(parent_directory(key));
    for (const std::string& directory : directories) {
      auto synced = directories_.sync_listed_names(directory);
      if (synced.ok()) synced = failpoint("local.after_secure_sync");
      if (!synced.ok()) return explained(synced.error(), "make durable", directory + "/");
    }
    // Not before the sync: a writer that could not make its name durable has removed it by now.
    for (const ObjectKey& key : keys) {
      const auto there = stat(key);
      if (!there.ok() && there.error().code == ErrorCode::kNotFound) return vanished(*this, key);
      if (!there.ok()) return explained(there.error(), "look up", key);
    }
    return {};
  }

  Result<std::unique_ptr<ObjectStore>> clone() override { return make(shared_); }

  void register_memory(MutableByteView memory) override {
    if (ring_ == nullptr || ring_->in_flight() > 0 || ring_->memory_registered()) return;
    ring_->register_memory(memory);
  }

  [[nodiscard]] StoreTraits traits() const override {
    return {.parallel_max = shared_->options.parallel, .operation_bytes = 0, .secures = true, .locks = false};
  }
  [[nodiscard]] StoreDescription describe() const override { return {files_.root_name(), describe_ring()}; }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override { return {}; }

  static Result<std::unique_ptr<ObjectStore>> make(std::shared_ptr<Shared> shared) {
    DRS_ASSIGN_OR_RETURN(std::unique_ptr<Ring> ring,
                         shared->files->make_ring(shared->options.parallel * (kLocalPutWritesMax + 1)));
    return std::unique_ptr<ObjectStore>(std::make_unique<LocalStore>(std::move(shared), std::move(ring)));
  }

 private:
  Result<void> list_prefix(std::string_view prefix, const Visit& visit) {
    DRS_RETURN_IF_ERROR(check_object_prefix(prefix));
    std::vector<std::string> directories = {std::string(prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1))};
    while (!directories.empty()) {
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      const Result<void> listed = files_.list(directory, [&](const FileInfo& info) -> Result<void> {
        ObjectKey key = directory.empty() ? info.name : directory + "/" + info.name;
        if (!is_valid_object_key(key)) return {};  // .incoming, lost+found: not objects
        if (!info.is_directory) return visit({std::move(key), info.size_bytes, info.modified_ns, 0, info.changed_ns});
        directories.push_back(std::move(key));
        return {};
      });
      shared_->syncs.note_listed(directory);
      const bool empty = !listed.ok() && listed.error().code == ErrorCode::kNotFound && !directory.empty();
      if (!listed.ok() && !empty) return listed;
    }
    return {};
  }

  [[nodiscard]] std::string describe_ring() const {
    if (ring_ == nullptr) return "broken";
    const LocalStoreOptions& options = shared_->options;
    std::string text = describe_io(*ring_, {.direct = options.direct == DirectIo::kWhereAligned && !direct_refused_,
                                            .depth = options.parallel * kLocalPutWritesMax});
    if (!shared_->syncs.supported()) text += ", directories cannot be synced";
    return text;
  }

  // A put whose temporary file is stored and gets its name.
  struct Publication {
    std::unique_ptr<LocalPut> put;
    Result<void> result;
    bool named = false;  // this put created the name
  };

  std::string new_temporary() {
    return std::string(kIncoming) + "/" + shared_->temporary_prefix + "-" + std::to_string(shared_->temporaries++);
  }

  LocalPut& unnamed(const PutOperation& operation) {
    const auto found =
        std::find_if(puts_.begin(), puts_.end(), [&](const auto& put) { return &put->operation() == &operation; });
    DRS_ASSERT(found != puts_.end() && operation.key.empty() && !(*found)->dropped,
               "the put is not waiting for a name");
    return **found;
  }

  void start_queued() {
    std::size_t storing = 0;
    for (const auto& put : puts_) storing += put->state() == LocalPut::State::kStoring ? 1U : 0U;
    for (const auto& put : puts_) {
      if (storing >= shared_->options.parallel) break;
      if (put->state() != LocalPut::State::kQueued) continue;
      if (broken_) {
        put->give_up(*broken_);
        continue;
      }
      put->start(*ring_, direct_refused_ ? DirectIo::kOff : shared_->options.direct);
      direct_refused_ = direct_refused_ || put->direct_refused();
      storing += put->state() == LocalPut::State::kStoring ? 1U : 0U;
    }
    std::size_t reading = 0;
    for (const auto& get : gets_) {
      if (reading >= shared_->options.parallel) break;
      if (!get->started() && !get->ended()) {
        if (broken_) {
          get->end(*broken_);
        } else {
          get->start(*ring_, objects_, shared_->options.direct);
        }
      }
      reading += get->ended() ? 0U : 1U;
    }
  }

  // Ends what can be ended: gives all stored files that have a key their names, with one sync per directory, then calls
  // every `done`.
  std::size_t finish_ended() {
    std::vector<Publication> publications = take_ended_puts();
    publish(publications);
    std::vector<std::unique_ptr<LocalGet>> gets;
    for (auto& get : gets_) {
      if (get->ended()) gets.push_back(std::move(get));
    }
    std::erase(gets_, nullptr);
    // The lists must be complete first: `done` may start, name or drop operations.
    for (Publication& publication : publications) {
      PutOperation& operation = publication.put->operation();
      operation.result = std::move(publication.result);
      operation.done(operation);
    }
    for (const auto& get : gets) {
      GetOperation& operation = get->operation();
      operation.result = get->take_result();
      if (!operation.result.ok()) operation.result = explained(operation.result.error(), "get", operation.key);
      operation.done(operation);
    }
    return publications.size() + gets.size();
  }

  std::vector<Publication> take_ended_puts() {
    std::vector<Publication> ended;
    for (auto& put : puts_) {
      const bool settled = put->state() == LocalPut::State::kStored || put->state() == LocalPut::State::kFailed;
      direct_refused_ = direct_refused_ || put->direct_refused();
      if (settled && (put->dropped || !put->operation().key.empty()))
        ended.push_back({.put = std::move(put), .result = {}});
    }
    std::erase(puts_, nullptr);
    return ended;
  }

  void publish(std::vector<Publication>& publications) {
    std::map<std::string, Result<void>> synced;
    for (Publication& publication : publications) {
      LocalPut& put = *publication.put;
      const ObjectKey& key = put.operation().key;
      if (put.dropped) {
        publication.result = Error(ErrorCode::kCancelled, "the put was dropped before it had a name");
        continue;
      }
      const bool stored = put.state() == LocalPut::State::kStored;
      publication.result = stored ? give_name(put.temporary_path(), key) : Result<void>(put.error());
      publication.named = stored && publication.result.ok();
      // kAlreadyExists says that the object is there, so its name has to survive.
      const bool taken = stored && !publication.named && publication.result.error().code == ErrorCode::kAlreadyExists;
      if (publication.named || taken) synced.try_emplace(parent_directory(key));
      if (stored && !publication.named) put.give_up(publication.result.error());
    }
    for (auto& [directory, result] : synced) {
      result = directories_.sync(directory);
      if (result.ok()) result = failpoint("local.after_dir_sync");
    }
    for (Publication& publication : publications) {
      if (publication.put->dropped) continue;
      const ObjectKey& key = publication.put->operation().key;
      const bool relies_on_name =
          publication.result.ok() || publication.result.error().code == ErrorCode::kAlreadyExists;
      const auto sync = synced.find(parent_directory(key));
      if (relies_on_name && sync != synced.end() && !sync->second.ok()) {
        // Not kNoSpace or kDenied, which say that the object stays absent: the name was made, and a power cut may bring
        // it back.
        publication.result = Error(ErrorCode::kIo, "its name cannot be made durable: " + sync->second.error().message,
                                   sync->second.error().error_number);
        // Remove the name: another process could sync the directory without an error and rely on the name.
        if (publication.named) static_cast<void>(files_.remove(key));
      }
      if (!publication.result.ok()) publication.result = explained(publication.result.error(), "put", key);
    }
  }

  // Gives a temporary file the name of its object. The name is not durable yet.
  Result<void> give_name(const std::string& temporary, const ObjectKey& key) {
    DRS_RETURN_IF_ERROR(directories_.create(parent_directory(key)));
    Result<void> linked = Error(ErrorCode::kUsage, "no links");
    if (shared_->links_work) {
      linked = files_.link(temporary, key);
      if (!linked.ok() && linked.error().code == ErrorCode::kUsage) shared_->links_work = false;
    }
    const bool renamed = !shared_->links_work;
    if (renamed) linked = files_.rename_no_replace(temporary, key);
    DRS_RETURN_IF_ERROR(linked);
    DRS_RETURN_IF_ERROR(failpoint("local.after_link"));
    // A leftover second name does no damage; clean_incoming removes it.
    if (!renamed) static_cast<void>(files_.remove(temporary));
    return failpoint("local.after_unlink");
  }

  // The ring failed and returns nothing more. Ends all operations; unnamed ones end when they are named.
  void break_down(const Error& error) {
    broken_ =
        Error(error.code == ErrorCode::kBusy ? ErrorCode::kBusy : ErrorCode::kIo, error.message, error.error_number);
    ring_.reset();
    give_up_all(*broken_);
  }

  void give_up_all(const Error& error) {
    for (const auto& put : puts_) put->give_up_without_ring(error);
    for (const auto& get : gets_) {
      if (!get->ended()) get->end(error);
    }
  }

  const std::shared_ptr<Shared> shared_;
  FileSystem& files_;
  std::unique_ptr<Ring> ring_;  // null after a failure
  std::optional<Error> broken_;
  DurableDirectories directories_;
  OpenObjects objects_;
  bool direct_refused_ = false;
  std::vector<std::unique_ptr<LocalPut>> puts_;  // oldest first
  std::vector<std::unique_ptr<LocalGet>> gets_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_local_store(std::shared_ptr<FileSystem> files, LocalStoreOptions options) {
  DRS_ASSERT(options.parallel > 0, "a store needs to do one thing at a time at least");
  auto shared = std::make_shared<Shared>();
  shared->files = std::move(files);
  shared->options = options;
  return LocalStore::make(std::move(shared));
}

Result<std::size_t> clean_incoming(FileSystem& files, std::int64_t older_than_ns, std::int64_t now_ns) {
  std::vector<std::string> old;
  const std::string directory(kIncoming);
  const Result<void> listed = files.list(directory, [&](const FileInfo& info) -> Result<void> {
    if (!info.is_directory && info.modified_ns < now_ns - older_than_ns) old.push_back(directory + "/" + info.name);
    return {};
  });
  if (!listed.ok() && listed.error().code != ErrorCode::kNotFound) return listed.error();
  std::size_t removed = 0;
  for (const std::string& path : old) {
    const Result<void> gone = files.remove(path);
    if (gone.ok()) ++removed;
    // Another process may be removing the same files.
    if (!gone.ok() && gone.error().code != ErrorCode::kNotFound) return gone.error();
  }
  return removed;
}

}  // namespace drs
