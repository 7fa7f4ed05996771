#include "sinks/cloud/cloud_store.h"

#include <algorithm>
#include <atomic>
#include <list>

#include "io/base/byte_pieces.h"
#include "io/base/error_class.h"
#include "sinks/cloud/object_locks.h"
#include "sinks/transport/content_range.h"

namespace drs {
namespace {

constexpr std::size_t kListBytesMax = 16 * kMiB;  // of one answer: 1000 keys of 1 KiB, encoded, with their XML or JSON

// What all instances of one store share. Any thread.
struct Shared {
  Shared(MakeCloudProtocol make, const Clock& with_clock, CloudStoreOptions with_options)
      : make_protocol(std::move(make)), clock(with_clock), options(std::move(with_options)) {
    options.requests.outage = std::make_shared<StoreOutage>(options.report);
    options.requests.good_gets = std::make_shared<GoodGets>();
  }
  const MakeCloudProtocol make_protocol;
  const Clock& clock;
  CloudStoreOptions options;
  mutable std::atomic<bool> create_only_proven{false}, whole_objects_told{false};
};

// Some servers quote an ETag in one answer and not in another.
std::string_view bare_etag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
  return etag;
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
    finish(unnamed(operation), Error(ErrorCode::kCancelled, "the put was dropped before it had a name"));
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
    // The lists must be complete first: `done` may start, name or drop operations.
    const auto puts = std::exchange(finished_puts_, {});
    const auto gets = std::exchange(finished_gets_, {});
    for (PutOperation* const operation : puts) operation->done(*operation);
    for (GetOperation* const operation : gets) operation->done(*operation);
    // Start what `done` submitted now: the caller may not run the store again for a while.
    engine_.run(false);
    return puts.size() + gets.size();
  }

  void wake() override { engine_.wake(); }
  [[nodiscard]] std::size_t in_flight() const override {
    return puts_.size() + gets_.size() + finished_puts_.size() + finished_gets_.size();
  }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    std::list<ListedPage> pages;
    for (const std::string_view prefix : prefixes) {
      DRS_RETURN_IF_ERROR(check_object_prefix(prefix));
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
          at = pages.erase(at);  // after a failure, wait for the others: the engine borrows their requests
      }
    }
    return outcome;
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override {
    StoreRequest request = prepared(protocol_->stat(key), StoreRequest::Kind::kStat, "stat " + key);
    ObjectInfo info;
    request.accept = [&](const HttpTransfer& answer) -> Result<void> {
      DRS_ASSIGN_OR_RETURN(info, protocol_->parse_stat(key, answer));
      return {};
    };
    const Result<void> answered = engine_.perform(request);
    if (!answered.ok() && answered.error().code == ErrorCode::kDenied) return stat_by_list(key, answered.error());
    DRS_RETURN_IF_ERROR(answered);
    return info;
  }

  Result<void> remove(const ObjectKey& key) override {
    StoreRequest request = prepared(protocol_->remove(key), StoreRequest::Kind::kRemove, "remove " + key);
    const Result<void> removed = engine_.perform(request);
    if (!removed.ok() && removed.error().code == ErrorCode::kNotFound && request.doubtful)
      return {};  // an earlier attempt removed it
    return removed;
  }

  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    const std::size_t keys_max = protocol_->remove_keys_max();
    if (keys_max == 1 || keys.size() == 1) return remove_each(*this, keys);
    for (std::size_t at = 0; at < keys.size(); at += keys_max) {
      const auto some = keys.subspan(at, std::min(keys_max, keys.size() - at));
      StoreRequest request = prepared(protocol_->remove_several(some), StoreRequest::Kind::kRemove,
                                      "remove " + std::to_string(some.size()) + " objects");
      request.text_bytes_max = kListBytesMax;
      Result<void> refused;
      request.accept = [&](const HttpTransfer& answer) -> Result<void> {
        refused = protocol_->parse_remove_several(answer);
        return !refused.ok() && refused.error().code == ErrorCode::kUnavailable ? refused : Result<void>();
      };
      const Result<void> asked = engine_.perform(request);
      // The server does not know such requests after all.
      if (!asked.ok() && protocol_->remove_keys_max() == 1) return remove_each(*this, keys.subspan(at));
      DRS_RETURN_IF_ERROR(asked);
      DRS_RETURN_IF_ERROR(refused);
    }
    return {};
  }

  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    return protocol_->locks() ? ObjectLocks(*this, *protocol_, engine_).extend(keys) : Result<void>();
  }

  Result<std::unique_ptr<ObjectStore>> clone() override { return make(shared_); }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override {
    return shared_->options.requests.counts->totals();
  }
  void register_memory(MutableByteView /*memory*/) override {}
  [[nodiscard]] StoreTraits traits() const override {
    return {.parallel_max = shared_->options.requests.parallel_max,
            .operation_bytes = kHttpTransferBytes,
            .secures = protocol_->locks(),
            .locks = protocol_->locks()};
  }
  [[nodiscard]] StoreDescription describe() const override {
    return {protocol_->name_for_messages(),
            protocol_->connection() + ", up to " + std::to_string(parallel_max()) + " requests at once"};
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
    std::string etag;  // of the answer to the put
    bool started = false;
  };
  // How a put handles the answer to its current request.
  using TakeAnswer = void (CloudStore::*)(Put&);
  struct Get {
    GetOperation* operation = nullptr;
    CloudStore* store = nullptr;
    StoreRequest request;
  };

  struct ListedPage {
    std::string prefix;
    std::string continuation;  // requests the next page; empty: the first page, or no more
    StoreRequest request;
    CloudListPage listed;  // the parsed answer
    ObjectKey last_key;    // listed last: lists are sorted, so a key listed twice follows itself
    bool done = false;
  };

  void start_page(ListedPage& page) {
    page.request = prepared(protocol_->list(page.prefix, page.continuation), StoreRequest::Kind::kList,
                            page.prefix.empty() ? "list the repository" : "list " + page.prefix);
    page.request.text_bytes_max = kListBytesMax;
    page.request.accept = [this, &page](const HttpTransfer& answer) -> Result<void> {
      DRS_ASSIGN_OR_RETURN(page.listed, protocol_->parse_list(answer));
      return {};
    };
    page.request.owner = &page;
    page.request.done = [](StoreRequest& request) { static_cast<ListedPage*>(request.owner)->done = true; };
    page.done = false;
    engine_.start(page.request);
  }

  Result<void> take_page(ListedPage& page, const Visit& visit) {
    DRS_RETURN_IF_ERROR(page.request.result);
    CloudListPage listed = std::move(page.listed);
    for (const ObjectInfo& object : listed.objects)
      if (object.key != std::exchange(page.last_key, object.key)) DRS_RETURN_IF_ERROR(visit(object));
    if (!listed.continuation.empty() && listed.continuation == page.continuation)
      return Error(ErrorCode::kUnavailable, page.request.what + ": the store gives the same part of the list again");
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
    request.part_begin_bytes = offset_bytes;
    request.accept = [this, offset_bytes, destination](const HttpTransfer& answer) {
      if (answer.status == 200 && offset_bytes > 0) report_whole_objects();
      return check_range(answer, offset_bytes, destination.size());
    };
    return request;
  }

  void report_whole_objects() const {
    if (shared_->whole_objects_told.exchange(true) || !shared_->options.report) return;
    shared_->options.report(protocol_->name_for_messages() +
                            ": the store answers a request for a part of an object with the whole object, which makes "
                            "reads slow: check whether a proxy or cache drops the header Range");
  }

  // Without bucket-wide list permission, S3 answers 403 for a missing object. A list of the keys that begin with this
  // one distinguishes the two cases.
  Result<ObjectInfo> stat_by_list(const ObjectKey& key, const Error& denied) {
    StoreRequest request = prepared(protocol_->list(key, ""), StoreRequest::Kind::kList, "list " + key);
    request.text_bytes_max = kListBytesMax;
    if (!engine_.perform(request).ok()) return denied;
    DRS_ASSIGN_OR_RETURN(const CloudListPage page, protocol_->parse_list(request.answer));
    for (const ObjectInfo& object : page.objects)
      if (object.key == key) return denied;
    return Error(ErrorCode::kNotFound, "stat " + key + ": there is no such object");
  }

  Put& unnamed(const PutOperation& operation) {
    const auto found =
        std::find_if(puts_.begin(), puts_.end(), [&](const Put& put) { return put.operation == &operation; });
    DRS_ASSERT(found != puts_.end() && !found->started, "the put is not waiting for a name");
    return *found;
  }

  void start_put(Put& put) {
    put.started = true;
    if (!shared_->options.single_writer) {
      send_body<&CloudStore::take_put>(put);
      return;
    }
    const ObjectKey& key = put.operation->key;
    ask<&CloudStore::take_stat_before_put>(
        put, prepared(protocol_->stat(key), StoreRequest::Kind::kStat, "look for " + key + " before it is put"));
  }

  template <TakeAnswer take>
  void ask(Put& put, StoreRequest request) {
    request.deadline = put.request.deadline;  // one budget for the object
    put.request = std::move(request);
    put.request.owner = &put;
    put.request.done = [](StoreRequest& done) {
      auto& asked = *static_cast<Put*>(done.owner);
      (asked.store->*take)(asked);
    };
    engine_.start(put.request);
  }

  template <TakeAnswer take>
  void send_body(Put& put) {
    PutOperation& operation = *put.operation;
    StoreRequest request = prepared(protocol_->put(operation), StoreRequest::Kind::kPut, "put " + operation.key);
    request.body = operation.body;
    ask<take>(put, std::move(request));
  }

  void take_stat_before_put(Put& put) {
    const Result<void>& result = put.request.result;
    if (result.ok())
      finish(put, Error(ErrorCode::kAlreadyExists, "put " + put.operation->key + ": the name is taken"));
    else if (result.error().code == ErrorCode::kNotFound)
      send_body<&CloudStore::take_put>(put);
    else
      finish(put, result);
  }

  void take_put(Put& put) {
    const Result<void> result = put.request.result;
    if (result.ok() && !shared_->options.single_writer && !shared_->create_only_proven) {
      send_body<&CloudStore::take_second_put>(put);
      return;
    }
    if (result.ok() && !protocol_->shows_stored(put.request, put.request.answer)) {
      put.etag = bare_etag(put.request.answer.header("etag"));
      const ObjectKey& key = put.operation->key;
      ask<&CloudStore::take_stat_after_put>(
          put, prepared(protocol_->stat(key), StoreRequest::Kind::kStat, "look for " + key + " after it was put"));
      return;
    }
    if (result.ok() || !put.request.doubtful) return finish(put, result);
    // The attempt without an answer may have stored the object, and may be why the name is taken.
    const Error error = result.error().with_context("after an attempt without an answer");
    finish(put, is_open_question(error) ? error : as_open_question(error));
  }

  void take_stat_after_put(Put& put) {
    Result<void> result = put.request.result;
    const HttpTransfer& answer = put.request.answer;
    if (!result.ok()) {
      if (result.error().code == ErrorCode::kNotFound)
        result = Error(ErrorCode::kUnavailable, "put " + put.operation->key + ": " + protocol_->name_for_messages() +
                                                    " answered that it had stored the object, and does not have it: "
                                                    "check whether a proxy answers in its place");
      return finish(put, as_open_question(result.error()));
    }
    const ObjectKey& key = put.operation->key;
    const auto there = protocol_->parse_stat(key, answer);
    const bool same = there.ok() && there->size_bytes == total_bytes(put.operation->body) &&
                      bare_etag(answer.header("etag")) == put.etag;
    if (same) return finish(put, {});
    finish(put, Error(ErrorCode::kAlreadyExists, "put " + key + ": " + protocol_->name_for_messages() +
                                                     " answered that it had stored the object, but the object there "
                                                     "has another length or ETag than the answer named"));
  }

  // The object was just put, so the server must refuse this second put.
  void take_second_put(Put& put) {
    const Result<void> result = put.request.result;
    if (!result.ok()) {
      const bool refused = result.error().code == ErrorCode::kAlreadyExists;
      if (refused) shared_->create_only_proven = true;
      // The first put was answered with success.
      finish(put, refused ? Result<void>() : as_open_question(result.error()));
      return;
    }
    const ObjectKey& key = put.operation->key;
    ask<&CloudStore::take_removal>(put, prepared(protocol_->remove(key), StoreRequest::Kind::kRemove, "remove " + key));
  }

  // The result of the removal does not matter: without the permission to remove, one unused object remains.
  void take_removal(Put& put) {
    finish(
        put,
        Error(ErrorCode::kUsage,
              "put " + put.operation->key + ": " + protocol_->name_for_messages() +
                  " is on a server that replaces an object although it is asked to create only, so two writers "
                  "could overwrite each other's objects: use a server with conditional writes, or --single-writer if "
                  "no other process writes to this repository at the same time"));
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
    return answer.received_bytes;
  }

  const std::shared_ptr<const Shared> shared_;
  const std::unique_ptr<CloudProtocol> protocol_;
  std::list<Put> puts_;
  std::list<Get> gets_;
  std::vector<PutOperation*> finished_puts_;
  std::vector<GetOperation*> finished_gets_;
  RequestEngine engine_;  // last, since it borrows from the members above
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_cloud_store(MakeCloudProtocol make_protocol, const Clock& clock,
                                                      CloudStoreOptions options) {
  options.requests.counts = std::make_shared<RequestCounts>();
  return CloudStore::make(std::make_shared<const Shared>(std::move(make_protocol), clock, std::move(options)));
}

}  // namespace drs
