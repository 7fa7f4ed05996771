#include "sinks/cache/cache_store.h"

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
#include "io/base/byte_pieces.h"
#include "sinks/forwarding_store.h"

namespace drs {
namespace {

// The first read of an object up to this size fetches it whole.
constexpr std::uint64_t kSmallObjectBytes = 1 * kMiB;
// A read of at least this size fetches a larger object whole, too.
constexpr std::size_t kLargeReadBytes = 32 * kKiB;
// The size of the pieces in which objects are fetched, and the bytes in flight for all fetches together.
constexpr std::uint64_t kPieceBytes = 1 * kMiB;
constexpr std::size_t kFetchedBytesMax = 4 * kMiB;

// Fills `operation` from a file that holds the whole object. False if the disk fails.
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

// The objects of the kept kinds, as the last list showed them. Any thread.
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

// What all instances of one store share.
struct Common {
  std::shared_ptr<CacheFolder> folder;
  CacheStoreOptions options;
  ListedObjects listed;
};

class CacheStore final : public ForwardingStore {
 public:
  CacheStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<Common> common)
      : ForwardingStore(std::move(inner)), common_(std::move(common)) {}
  ~CacheStore() override { end_inner(); }

  void put(PutOperation& operation) override {
    const CachedKind* const kind = kind_of(operation.key);
    if (kind == nullptr || kind->check != KeylessCheck::kNameIsDigest) {
      inner().put(operation);
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
    inner().put(put.inner);
  }

  void get(GetOperation& operation) override {
    const auto entry = entry_of(operation.key);
    if (!entry) {
      inner().get(operation);
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
      inner().get(operation);
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
      const auto moved = inner().run(wait && done == 0);
      if (!moved.ok()) {
        end_all(moved.error());
        return moved.error();
      }
      finish_fetches();
      // The caller counts its own operations only.
      done += *moved - inner_done_;
      done += deliver();
      if (!wait || done > 0 || *moved == 0) return done;
    }
  }

  [[nodiscard]] std::size_t in_flight() const override {
    std::size_t waiting = ready_.size();
    std::size_t ours = 0;
    for (const Fetch& fetch : fetches_) {
      waiting += fetch.waiting.size();
      ours += fetch.pieces.size();
    }
    const std::size_t within = inner().in_flight();
    return waiting + (within - std::min(within, ours));
  }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) common_->listed.forget_all(prefix);
    return inner().list_together(prefixes, remembering(visit));
  }

  Result<void> remove(const ObjectKey& key) override {
    common_->listed.forget(key);
    return inner().remove(key);
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) common_->listed.forget(key);
    return inner().remove_all(keys);
  }

  [[nodiscard]] StoreDescription describe() const override {
    StoreDescription description = ForwardingStore::describe();
    description.io += ", cache in " + common_->folder->path();
    return description;
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<CacheStore>(std::move(inner), common_));
  }

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
  // An object that is being fetched into the folder, and the gets that wait for it.
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
    bool unfit = false;                // the folder cannot keep it: it ended early, or a write failed
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

  // The entry of the folder for an object that was listed.
  [[nodiscard]] std::optional<CacheEntry> entry_of(const ObjectKey& key) const {
    const auto listed = common_->listed.find(key);
    if (!listed) return std::nullopt;
    const CachedKind& kind = *kind_of(key);
    const auto& [size_bytes, modified_ns] = *listed;
    if (kind.check == KeylessCheck::kNameIsDigest) return named_entry(key, size_bytes);
    if (modified_ns == 0) return std::nullopt;
    const std::string identity =
        common_->options.place + '\n' + key + '\n' + std::to_string(size_bytes) + '\n' + std::to_string(modified_ns);
    return CacheEntry{sha256(as_bytes(identity)), size_bytes, kind.check};
  }

  static std::optional<CacheEntry> named_entry(const ObjectKey& key, std::uint64_t size_bytes) {
    CacheEntry entry{{}, size_bytes, KeylessCheck::kNameIsDigest};
    if (!from_hex(std::string_view(key).substr(key.rfind('/') + 1), entry.name.mutable_view())) return std::nullopt;
    return entry;
  }

  void serve(const Fd& file, GetOperation& operation) {
    if (read_from(file, operation)) {
      ready_.push_back(&operation);
    } else {
      inner().get(operation);
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
      inner().get(piece.operation);
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
            inner().get(*operation);
          }
        }
      }
      at = fetches_.erase(at);
    }
  }

  std::size_t deliver() {
    // Take them out first: `done` may start further operations, which belong to the next run.
    const auto ready = std::exchange(ready_, {});
    for (GetOperation* const operation : ready) operation->done(*operation);
    return ready.size();
  }

  // The inner store failed and has ended its operations.
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
    const std::size_t size_bytes = total_bytes(operation.body);
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
  std::vector<GetOperation*> ready_;  // complete, `done` not yet called
  std::size_t inner_done_ = 0;        // operations of the inner store that the cache itself started, in this run
  std::size_t fetched_bytes_ = 0;     // of the pieces in flight
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
