#include "sinks/cache_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "codecs/sha256.h"

namespace drs {
namespace {

// Objects up to this size are fetched whole at the first read.
constexpr std::uint64_t kSmallObjectBytes = 1 * kMiB;
// A read of this size shows that a larger object is wanted, too.
constexpr std::size_t kLargeReadBytes = 32 * kKiB;
// Objects are fetched in pieces of at most this size, and so much at once, of one or of many.
constexpr std::uint64_t kPieceBytes = 1 * kMiB;
constexpr std::size_t kFetchedBytesMax = 4 * kMiB;

// Fills `operation` from a file that holds the whole object. False when the disk fails.
bool read_from(const Fd& file, GetOperation& operation) {
  std::size_t filled = 0;
  while (filled < operation.destination.size()) {
    const MutableByteView rest = operation.destination.subspan(filled);
    const ssize_t got =
        ::pread(file.get(), rest.data(), rest.size(), static_cast<off_t>(operation.offset_bytes + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  operation.result = filled;
  return true;
}

struct Listed {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;
};

// Objects of the kinds that are kept, as the last list showed them. Any thread.
class ListedObjects {
 public:
  void add(const ObjectInfo& info) {
    const std::scoped_lock lock(mutex_);
    objects_[info.key] = {info.size_bytes, info.modified_ns};
  }
  void forget(const ObjectKey& key) {
    const std::scoped_lock lock(mutex_);
    objects_.erase(key);
  }
  void forget_all(std::string_view prefix) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(objects_, [&](const auto& object) { return object.first.starts_with(prefix); });
  }
  [[nodiscard]] std::optional<Listed> find(const ObjectKey& key) const {
    const std::scoped_lock lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<ObjectKey, Listed> objects_;
};

// What all instances of a store have in common.
struct Common {
  std::shared_ptr<CacheFolder> folder;
  CacheStoreOptions options;
  ListedObjects listed;
};

class CacheStore final : public ObjectStore {
 public:
  CacheStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<Common> common)
      : common_(std::move(common)), inner_(std::move(inner)) {}

  void put(PutOperation& operation) override {
    const CachedKind* const kind = kind_of(operation.key);
    if (kind == nullptr || kind->check != CacheEntry::Check::kNameIsDigest) {
      inner_->put(operation);
      return;
    }
    Put& put = puts_.emplace_back();
    put.store = this;
    put.outer = &operation;
    put.inner.key = operation.key;
    put.inner.body = operation.body;
    put.inner.sha256 = operation.sha256;
    put.inner.owner = &put;
    put.inner.done = [](PutOperation& done) {
      auto& stored = *static_cast<Put*>(done.owner);
      stored.store->finish_put(stored);
    };
    inner_->put(put.inner);
  }

  void name(PutOperation& operation, ObjectKey key) override { inner_->name(operation, std::move(key)); }
  void drop(PutOperation& operation) override { inner_->drop(operation); }

  void get(GetOperation& operation) override {
    const auto entry = entry_of(operation.key);
    if (!entry) {
      inner_->get(operation);
      return;
    }
    const auto fetching =
        std::find_if(fetches_.begin(), fetches_.end(), [&](const Fetch& fetch) { return fetch.key == operation.key; });
    if (fetching != fetches_.end()) {
      fetching->waiting.push_back(&operation);
      return;
    }
    if (const auto file = common_->folder->open(*entry)) {
      serve(*file, operation);
      return;
    }
    const bool whole = entry->size_bytes <= kSmallObjectBytes || operation.destination.size() >= kLargeReadBytes;
    auto draft = whole && entry->size_bytes > 0 ? common_->folder->begin(entry->size_bytes) : std::nullopt;
    if (!draft) {
      inner_->get(operation);
      return;
    }
    fetches_.emplace_back(this, operation.key, *entry, *std::move(draft));
    fetches_.back().waiting.push_back(&operation);
    start_pieces(fetches_.back());
  }

  Result<std::size_t> run(bool wait) override {
    std::size_t done = deliver();
    while (true) {
      inner_done_ = 0;
      const auto moved = inner_->run(wait && done == 0);
      if (!moved.ok()) {
        end_all(moved.error());
        return moved.error();
      }
      finish_fetches();
      // Whoever asks what was done counts its own operations.
      done += *moved - inner_done_;
      done += deliver();
      if (!wait || done > 0 || *moved == 0) return done;
    }
  }

  void wake() override { inner_->wake(); }

  [[nodiscard]] std::size_t in_flight() const override {
    std::size_t waiting = ready_.size();
    std::size_t ours = 0;
    for (const Fetch& fetch : fetches_) {
      waiting += fetch.waiting.size();
      ours += fetch.pieces.size();
    }
    const std::size_t inner = inner_->in_flight();
    return waiting + (inner - std::min(inner, ours));
  }
  [[nodiscard]] std::size_t parallel_max() const override { return inner_->parallel_max(); }
  [[nodiscard]] std::size_t operation_bytes() const override { return inner_->operation_bytes(); }

  Result<void> list(std::string_view prefix, const Visit& visit) override {
    common_->listed.forget_all(prefix);
    return inner_->list(prefix, remembering(visit));
  }
  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) common_->listed.forget_all(prefix);
    return inner_->list_together(prefixes, remembering(visit));
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override { return inner_->stat(key); }

  Result<void> remove(const ObjectKey& key) override {
    common_->listed.forget(key);
    return inner_->remove(key);
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) common_->listed.forget(key);
    return inner_->remove_all(keys);
  }

  [[nodiscard]] bool locks() const override { return inner_->locks(); }
  Result<void> retain(const std::vector<ObjectKey>& keys) override { return inner_->retain(keys); }
  [[nodiscard]] bool secures() const override { return inner_->secures(); }
  Result<void> secure(const std::vector<ObjectKey>& keys) override { return inner_->secure(keys); }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override { return inner_->request_counts(); }

  Result<std::unique_ptr<ObjectStore>> another() override {
    DRS_ASSIGN_OR_RETURN(auto inner, inner_->another());
    return std::unique_ptr<ObjectStore>(std::make_unique<CacheStore>(std::move(inner), common_));
  }
  void register_memory(MutableByteView memory) override { inner_->register_memory(memory); }
  [[nodiscard]] std::string name_for_messages() const override { return inner_->name_for_messages(); }
  [[nodiscard]] std::string io_description() const override {
    return inner_->io_description() + ", cache in " + common_->folder->path();
  }

 private:
  struct Put {
    CacheStore* store = nullptr;
    PutOperation* outer = nullptr;
    PutOperation inner;
  };
  struct Fetch;
  struct Piece {
    Fetch* fetch = nullptr;
    Bytes buffer;
    GetOperation operation;
  };
  // One object on its way into the folder, and who waits for it.
  struct Fetch {
    Fetch(CacheStore* to, ObjectKey name, const CacheEntry& as, CacheDraft into)
        : store(to), key(std::move(name)), entry(as), draft(std::move(into)) {}
    CacheStore* store;
    ObjectKey key;
    CacheEntry entry;
    CacheDraft draft;
    std::vector<GetOperation*> waiting;
    std::list<Piece> pieces;           // in flight
    std::uint64_t begun_bytes = 0;     // where the next piece begins
    std::optional<Error> store_error;  // of the first piece that failed
    bool unfit = false;                // to be kept: it ended early, or could not be written
    [[nodiscard]] bool failed() const { return store_error || unfit; }
  };

  [[nodiscard]] const CachedKind* kind_of(const ObjectKey& key) const {
    for (const CachedKind& kind : common_->options.kinds)
      if (key.starts_with(kind.prefix)) return &kind;
    return nullptr;
  }

  Visit remembering(const Visit& visit) {
    return [this, &visit](const ObjectInfo& info) {
      if (kind_of(info.key) != nullptr) common_->listed.add(info);
      return visit(info);
    };
  }

  // Under which name the folder holds an object that was listed.
  [[nodiscard]] std::optional<CacheEntry> entry_of(const ObjectKey& key) const {
    const auto listed = common_->listed.find(key);
    if (!listed) return std::nullopt;
    const CachedKind& kind = *kind_of(key);
    const auto& [size_bytes, modified_ns] = *listed;
    if (kind.check == CacheEntry::Check::kNameIsDigest) return named_entry(key, size_bytes);
    if (modified_ns == 0) return std::nullopt;
    const std::string identity =
        common_->options.place + '\n' + key + '\n' + std::to_string(size_bytes) + '\n' + std::to_string(modified_ns);
    return CacheEntry{sha256(as_bytes(identity)), size_bytes, kind.check};
  }

  static std::optional<CacheEntry> named_entry(const ObjectKey& key, std::uint64_t size_bytes) {
    CacheEntry entry{{}, size_bytes, CacheEntry::Check::kNameIsDigest};
    if (!from_hex(std::string_view(key).substr(key.rfind('/') + 1), entry.name.mutable_view())) return std::nullopt;
    return entry;
  }

  void serve(const Fd& file, GetOperation& operation) {
    if (read_from(file, operation)) {
      ready_.push_back(&operation);
    } else {
      inner_->get(operation);
    }
  }

  void start_pieces(Fetch& fetch) {
    while (!fetch.failed() && fetch.begun_bytes < fetch.entry.size_bytes) {
      const auto bytes = static_cast<std::size_t>(std::min(kPieceBytes, fetch.entry.size_bytes - fetch.begun_bytes));
      if (fetched_bytes_ + bytes > kFetchedBytesMax) return;
      fetched_bytes_ += bytes;
      Piece& piece = fetch.pieces.emplace_back();
      piece.buffer.resize(bytes);
      piece.fetch = &fetch;
      piece.operation.key = fetch.key;
      piece.operation.offset_bytes = fetch.begun_bytes;
      piece.operation.destination = piece.buffer;
      piece.operation.owner = &piece;
      piece.operation.done = [](GetOperation& done) {
        auto& received = *static_cast<Piece*>(done.owner);
        received.fetch->store->take_piece(received);
      };
      fetch.begun_bytes += piece.buffer.size();
      inner_->get(piece.operation);
    }
  }

  void take_piece(Piece& piece) {
    ++inner_done_;
    Fetch& fetch = *piece.fetch;
    fetched_bytes_ -= piece.buffer.size();
    const GetOperation& operation = piece.operation;
    if (!operation.result.ok()) {
      if (!fetch.store_error) fetch.store_error = operation.result.error();
    } else if (*operation.result < piece.buffer.size()) {
      fetch.unfit = true;
    } else if (auto written = fetch.draft.write(operation.offset_bytes, piece.buffer); !written.ok()) {
      common_->folder->give_up(written.error());
      fetch.unfit = true;
    }
    fetch.pieces.remove_if([&](const Piece& other) { return &other == &piece; });
  }

  void finish_fetches() {
    for (auto at = fetches_.begin(); at != fetches_.end();) {
      Fetch& fetch = *at;
      start_pieces(fetch);
      const bool all_begun = fetch.failed() || fetch.begun_bytes == fetch.entry.size_bytes;
      if (!all_begun || !fetch.pieces.empty()) {
        ++at;
        continue;
      }
      const auto waiting = std::exchange(fetch.waiting, {});
      if (fetch.store_error) {
        for (GetOperation* const operation : waiting) {
          operation->result = *fetch.store_error;
          ready_.push_back(operation);
        }
      } else {
        const auto file =
            fetch.unfit ? std::optional<Fd>() : common_->folder->keep(std::move(fetch.draft), fetch.entry);
        for (GetOperation* const operation : waiting) {
          if (file) {
            serve(*file, *operation);
          } else {
            inner_->get(*operation);
          }
        }
      }
      at = fetches_.erase(at);
    }
  }

  std::size_t deliver() {
    // Taken out first: `done` may start further operations, which belong to the next run.
    const auto ready = std::exchange(ready_, {});
    for (GetOperation* const operation : ready) operation->done(*operation);
    return ready.size();
  }

  // The inner store broke and has ended what it had.
  void end_all(const Error& error) {
    for (Fetch& fetch : std::exchange(fetches_, {})) {
      for (GetOperation* const operation : fetch.waiting) {
        operation->result = error;
        ready_.push_back(operation);
      }
    }
    deliver();
  }

  void finish_put(Put& put) {
    PutOperation& outer = *put.outer;
    outer.result = std::move(put.inner.result);
    if (outer.result.ok()) keep_body(outer);
    puts_.remove_if([&](const Put& other) { return &other == &put; });
    outer.done(outer);
  }

  void keep_body(const PutOperation& operation) {
    std::uint64_t size_bytes = 0;
    for (const ByteView piece : operation.body) size_bytes += piece.size();
    const auto entry = named_entry(operation.key, size_bytes);
    auto draft = entry && size_bytes > 0 ? common_->folder->begin(size_bytes) : std::nullopt;
    if (!draft) return;
    std::uint64_t offset_bytes = 0;
    for (const ByteView piece : operation.body) {
      if (auto written = draft->write(offset_bytes, piece); !written.ok()) {
        common_->folder->give_up(written.error());
        return;
      }
      offset_bytes += piece.size();
    }
    static_cast<void>(common_->folder->keep(*std::move(draft), *entry));
  }

  const std::shared_ptr<Common> common_;
  std::list<Put> puts_;
  std::list<Fetch> fetches_;
  std::vector<GetOperation*> ready_;          // read, not yet told
  std::size_t inner_done_ = 0;                // operations of the inner store that are ours, in this run
  std::size_t fetched_bytes_ = 0;             // of the pieces in flight
  const std::unique_ptr<ObjectStore> inner_;  // last: it borrows from what stands above
};

}  // namespace

std::unique_ptr<ObjectStore> make_cache_store(std::unique_ptr<ObjectStore> inner, std::shared_ptr<CacheFolder> folder,
                                              CacheStoreOptions options) {
  auto common = std::make_shared<Common>();
  common->folder = std::move(folder);
  common->options = std::move(options);
  return std::make_unique<CacheStore>(std::move(inner), std::move(common));
}

}  // namespace drs
