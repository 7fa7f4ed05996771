#include "sinks/cloud_store.h"

#include <algorithm>
#include <charconv>
#include <list>
#include <optional>

namespace drs {
namespace {

constexpr std::size_t kComparedBytes = 1 * kMiB;  // of an object that is read back, at a time
constexpr std::size_t kListBytesMax = 16 * kMiB;  // of one answer: 1000 keys of 1 KiB, encoded, with all around them

struct Shared {
  MakeCloudProtocol make_protocol;
  const Clock& clock;
  CloudStoreOptions options;
};

// The size of the whole object, from "bytes 0-1023/4096".
std::optional<std::uint64_t> whole_size(const HttpTransfer& answer) {
  const std::string_view range = answer.header("content-range");
  const std::size_t slash = range.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view text = range.substr(slash + 1);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return size;
}

std::size_t body_bytes(const PutOperation& operation) {
  std::size_t bytes = 0;
  for (const ByteView piece : operation.body) bytes += piece.size();
  return bytes;
}

// Whether `read` is what the body holds from `at` on.
bool body_matches(const PutOperation& operation, std::size_t at, ByteView read) {
  for (const ByteView piece : operation.body) {
    if (at >= piece.size()) {
      at -= piece.size();
      continue;
    }
    const std::size_t bytes = std::min(piece.size() - at, read.size());
    if (!std::equal(read.begin(), read.begin() + static_cast<std::ptrdiff_t>(bytes),
                    piece.begin() + static_cast<std::ptrdiff_t>(at)))
      return false;
    read = read.subspan(bytes);
    at = 0;
  }
  return read.empty();
}

class CloudStore final : public ObjectStore {
 public:
  CloudStore(std::shared_ptr<const Shared> shared, std::unique_ptr<HttpClient> client)
      : shared_(std::move(shared)),
        protocol_(shared_->make_protocol()),
        engine_(std::move(client), *protocol_, shared_->clock, shared_->options.requests) {}

  void put(PutOperation& operation) override {
    DRS_ASSERT(operation.key.empty() || is_valid_object_key(operation.key), "put with an invalid key");
    Put& put = puts_.emplace_back();
    put.operation = &operation;
    put.store = this;
    if (!operation.key.empty()) start_put(put);
  }

  void name(PutOperation& operation, ObjectKey key) override {
    DRS_ASSERT(is_valid_object_key(key), "name with an invalid key");
    Put& put = unnamed(operation);
    operation.key = std::move(key);
    start_put(put);
  }

  void drop(PutOperation& operation) override {
    finish(unnamed(operation), Error{ErrorCode::kCancelled, "the put was dropped before it had a name"});
  }

  void get(GetOperation& operation) override {
    DRS_ASSERT(is_valid_object_key(operation.key), "get with an invalid key");
    Get& get = gets_.emplace_back();
    get.operation = &operation;
    get.store = this;
    get.request = operation.destination.empty()
                      ? prepared(protocol_->stat(operation.key), StoreRequest::Kind::kStat, "get " + operation.key)
                      : ranged(operation.key, operation.offset_bytes, operation.destination);
    get.request.owner = &get;
    get.request.done = [](StoreRequest& request) {
      auto& done = *static_cast<Get*>(request.owner);
      done.store->take_range(done);
    };
    engine_.start(get.request);
  }

  Result<std::size_t> run(bool wait) override {
    while (finished_puts_.empty() && finished_gets_.empty()) {
      if (engine_.run(wait) == 0 || engine_.in_flight() == 0) break;
    }
    // Only now that the lists are whole: `done` may start, name or drop operations.
    const auto puts = std::exchange(finished_puts_, {});
    const auto gets = std::exchange(finished_gets_, {});
    for (PutOperation* const operation : puts) operation->done(*operation);
    for (GetOperation* const operation : gets) operation->done(*operation);
    // What `done` submitted starts now: the caller may be busy elsewhere for a while.
    engine_.run(false);
    return puts.size() + gets.size();
  }

  void wake() override { engine_.wake(); }
  [[nodiscard]] std::size_t in_flight() const override {
    return puts_.size() + gets_.size() + finished_puts_.size() + finished_gets_.size();
  }
  [[nodiscard]] std::size_t operation_bytes() const override { return kHttpTransferBytes; }
  [[nodiscard]] std::size_t parallel_max() const override { return shared_->options.requests.parallel_max; }

  Result<void> list(std::string_view prefix, const Visit& visit) override {
    return list_together(std::span(&prefix, 1), visit);
  }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    std::list<ListedPage> pages;
    for (const std::string_view prefix : prefixes) {
      if (!is_valid_object_prefix(prefix))
        return Error{ErrorCode::kUsage, "not a prefix of object keys: \"" + std::string(prefix) + "\""};
      pages.emplace_back().prefix = prefix;
    }
    Result<void> outcome;
    for (ListedPage& page : pages) start_page(page);
    while (!pages.empty()) {
      engine_.run(true);
      for (auto at = pages.begin(); at != pages.end();) {
        if (!at->done) {
          ++at;
          continue;
        }
        if (outcome.ok()) outcome = take_page(*at, visit);
        if (outcome.ok() && !at->continuation.empty())
          start_page(*at++);
        else
          at = pages.erase(at);  // after a failure the others are only waited for: their requests lie in the list
      }
    }
    return outcome;
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override {
    StoreRequest request = prepared(protocol_->stat(key), StoreRequest::Kind::kStat, "stat " + key);
    DRS_RETURN_IF_ERROR(engine_.perform(request));
    return protocol_->parse_stat(key, request.answer);
  }

  Result<void> remove(const ObjectKey& key) override {
    StoreRequest request = prepared(protocol_->remove(key), StoreRequest::Kind::kRemove, "remove " + key);
    const Result<void> removed = engine_.perform(request);
    if (!removed.ok() && removed.error().code == ErrorCode::kNotFound && request.doubtful) return {};  // by us
    return removed;
  }

  Result<std::unique_ptr<ObjectStore>> another() override { return make(shared_); }
  void register_memory(MutableByteView /*memory*/) override {}
  [[nodiscard]] std::string name_for_messages() const override { return protocol_->name_for_messages(); }
  [[nodiscard]] std::string io_description() const override {
    return protocol_->connection() + ", up to " + std::to_string(parallel_max()) + " requests at once";
  }

  static Result<std::unique_ptr<ObjectStore>> make(std::shared_ptr<const Shared> shared) {
    DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(shared->options.http));
    return std::unique_ptr<ObjectStore>(std::make_unique<CloudStore>(std::move(shared), std::move(client)));
  }

 private:
  struct Put {
    PutOperation* operation = nullptr;
    CloudStore* store = nullptr;
    StoreRequest request;
    Bytes read;  // not empty: what is there is being compared
    std::size_t compared_bytes = 0;
    bool started = false;
  };
  struct Get {
    GetOperation* operation = nullptr;
    CloudStore* store = nullptr;
    StoreRequest request;
  };

  struct ListedPage {
    std::string prefix;
    std::string continuation;  // of the next page; empty: the first, or no more
    StoreRequest request;
    bool done = false;
  };

  void start_page(ListedPage& page) {
    page.request = prepared(protocol_->list(page.prefix, page.continuation), StoreRequest::Kind::kList,
                            page.prefix.empty() ? "list the repository" : "list " + page.prefix);
    page.request.text_bytes_max = kListBytesMax;
    page.request.owner = &page;
    page.request.done = [](StoreRequest& request) { static_cast<ListedPage*>(request.owner)->done = true; };
    page.done = false;
    engine_.start(page.request);
  }

  Result<void> take_page(ListedPage& page, const Visit& visit) {
    DRS_RETURN_IF_ERROR(page.request.result);
    DRS_ASSIGN_OR_RETURN(CloudListPage listed, protocol_->parse_list(page.request.answer));
    for (const ObjectInfo& object : listed.objects) DRS_RETURN_IF_ERROR(visit(object));
    if (!listed.continuation.empty() && listed.continuation == page.continuation)
      return Error{ErrorCode::kUnavailable, page.request.what + ": the store gives the same part of the list again"};
    page.continuation = std::move(listed.continuation);
    return {};
  }

  static StoreRequest prepared(StoreRequest request, StoreRequest::Kind kind, std::string what) {
    request.kind = kind;
    request.what = std::move(what);
    return request;
  }

  StoreRequest ranged(const ObjectKey& key, std::uint64_t offset_bytes, MutableByteView destination) {
    StoreRequest request =
        prepared(protocol_->get(key, offset_bytes, destination.size()), StoreRequest::Kind::kGet, "get " + key);
    request.destination = destination;
    return request;
  }

  Put& unnamed(const PutOperation& operation) {
    const auto found =
        std::find_if(puts_.begin(), puts_.end(), [&](const Put& put) { return put.operation == &operation; });
    DRS_ASSERT(found != puts_.end() && !found->started, "the put is not waiting for a name");
    return *found;
  }

  void start_put(Put& put) {
    PutOperation& operation = *put.operation;
    put.started = true;
    put.request = prepared(protocol_->put(operation), StoreRequest::Kind::kPut, "put " + operation.key);
    put.request.body = operation.body;
    put.request.owner = &put;
    put.request.done = [](StoreRequest& request) {
      auto& done = *static_cast<Put*>(request.owner);
      done.store->take_put(done);
    };
    engine_.start(put.request);
  }

  void take_put(Put& put) {
    const Result<void> result = put.request.result;
    const bool taken = !result.ok() && result.error().code == ErrorCode::kAlreadyExists;
    if (!taken || !put.request.doubtful) {
      finish(put, result);
      return;
    }
    // It may be ours, from an attempt whose answer never came.
    put.read.resize(std::min(kComparedBytes, std::max<std::size_t>(body_bytes(*put.operation), 1)));
    read_back(put);
  }

  void read_back(Put& put) {
    put.request = ranged(put.operation->key, put.compared_bytes, put.read);
    put.request.owner = &put;
    put.request.done = [](StoreRequest& request) {
      auto& done = *static_cast<Put*>(request.owner);
      done.store->compare(done);
    };
    engine_.start(put.request);
  }

  void compare(Put& put) {
    const std::size_t bytes = body_bytes(*put.operation);
    const HttpTransfer& answer = put.request.answer;
    const bool ends_before = answer.status == 416;  // an empty object has no range
    if (!put.request.result.ok() && !ends_before) {
      finish(put, Error{ErrorCode::kUnavailable, put.request.result.error().message});
      return;
    }
    const std::size_t received = ends_before ? 0 : answer.received_bytes;
    const bool same = ends_before
                          ? bytes == 0
                          : received > 0 && whole_size(answer).value_or(received) == bytes &&
                                body_matches(*put.operation, put.compared_bytes, ByteView(put.read).first(received));
    put.compared_bytes += received;
    if (!same) {
      finish(put, Error{ErrorCode::kAlreadyExists, "put " + put.operation->key + ": another object has that name"});
    } else if (put.compared_bytes == bytes) {
      finish(put, {});
    } else {
      read_back(put);
    }
  }

  void finish(Put& put, Result<void> result) {
    put.operation->result = std::move(result);
    finished_puts_.push_back(put.operation);
    puts_.remove_if([&](const Put& other) { return &other == &put; });
  }

  void take_range(Get& get) {
    GetOperation& operation = *get.operation;
    operation.result = range_result(operation, get.request);
    finished_gets_.push_back(&operation);
    gets_.remove_if([&](const Get& other) { return &other == &get; });
  }

  static Result<std::size_t> range_result(const GetOperation& operation, const StoreRequest& request) {
    const HttpTransfer& answer = request.answer;
    if (answer.status == 416) return std::size_t{0};  // the object ends before the range begins
    if (!request.result.ok()) return request.result.error();
    if (operation.destination.empty()) return std::size_t{0};
    const auto unexpected = [&](const std::string& what) {
      return Error{ErrorCode::kIo, request.what + ": the store " + what};
    };
    if (answer.status != 206)
      return unexpected("does not answer ranges, but with status " + std::to_string(answer.status));
    const auto size = whole_size(answer);
    if (!size || *size <= operation.offset_bytes) return unexpected("does not say which range it sent");
    const std::uint64_t expected =
        std::min<std::uint64_t>(operation.destination.size(), *size - operation.offset_bytes);
    if (answer.received_bytes != expected)
      return unexpected("sent " + std::to_string(answer.received_bytes) + " of " + std::to_string(expected) + " bytes");
    return answer.received_bytes;
  }

  const std::shared_ptr<const Shared> shared_;
  const std::unique_ptr<CloudProtocol> protocol_;
  std::list<Put> puts_;
  std::list<Get> gets_;
  std::vector<PutOperation*> finished_puts_;
  std::vector<GetOperation*> finished_gets_;
  RequestEngine engine_;  // last: it borrows from what stands above
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_cloud_store(MakeCloudProtocol make_protocol, const Clock& clock,
                                                      CloudStoreOptions options) {
  return CloudStore::make(std::make_shared<const Shared>(Shared{std::move(make_protocol), clock, std::move(options)}));
}

}  // namespace drs
