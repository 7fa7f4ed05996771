#include "sinks/cloud_store.h"

#include <algorithm>
#include <atomic>
#include <list>

#include "sinks/content_range.h"
#include "sinks/put_body.h"

namespace drs {
namespace {

constexpr std::size_t kComparedBytes = 1 * kMiB;  // of an object that is read back, at a time
constexpr std::size_t kListBytesMax = 16 * kMiB;  // of one answer: 1000 keys of 1 KiB, encoded, with all around them

// What all instances of one store have in common. Any thread.
struct Shared {
  Shared(MakeCloudProtocol make, const Clock& with_clock, CloudStoreOptions with_options)
      : make_protocol(std::move(make)), clock(with_clock), options(std::move(with_options)) {
    options.requests.outage = std::make_shared<StoreOutage>(options.tell);
    options.requests.good_gets = std::make_shared<GoodGets>();
  }
  const MakeCloudProtocol make_protocol;
  const Clock& clock;
  CloudStoreOptions options;
  mutable std::atomic<bool> create_only_proven{false}, whole_objects_told{false};
};

// Some servers quote an ETag in one answer and not in the other.
std::string_view bare_etag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
  return etag;
}

// The error of a put that may have stored its object all the same.
Error in_doubt(Error error) {
  if (error.code != ErrorCode::kCancelled) error.code = ErrorCode::kUnavailable;
  return error;
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
    if (!removed.ok() && removed.error().code == ErrorCode::kNotFound && request.doubtful) return {};  // by us
    return removed;
  }

  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    const std::size_t keys_max = protocol_->remove_keys_max();
    if (keys_max == 1 || keys.size() == 1) return ObjectStore::remove_all(keys);
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
      // The server turns out not to know such requests.
      if (!asked.ok() && protocol_->remove_keys_max() == 1) return ObjectStore::remove_all(keys.subspan(at));
      DRS_RETURN_IF_ERROR(asked);
      DRS_RETURN_IF_ERROR(refused);
    }
    return {};
  }

  [[nodiscard]] bool locks() const override { return protocol_->locks(); }

  // One request asks how long an object is locked already; only where that is too short a second one extends it.
  Result<void> retain(const std::vector<ObjectKey>& keys) override {
    if (!locks()) return ObjectStore::retain(keys);
    Result<void> result;
    std::list<Retention> retentions;
    std::size_t next = 0;
    while (next < keys.size() || !retentions.empty()) {
      for (; result.ok() && next < keys.size() && retentions.size() < 2 * parallel_max(); ++next) {
        Retention& retention = retentions.emplace_back();
        retention.key = &keys[next];
        start_retention(retention,
                        prepared(protocol_->stat(keys[next]), StoreRequest::Kind::kStat, "stat " + keys[next]));
      }
      if (retentions.empty()) break;
      engine_.run(true);
      for (auto at = retentions.begin(); at != retentions.end();) {
        Retention& retention = *at++;
        if (!retention.done) continue;
        const bool asked = retention.request.kind == StoreRequest::Kind::kStat;
        if (!retention.request.result.ok() && result.ok()) result = retention.request.result;
        if (asked && result.ok() && !protocol_->locked_long_enough(retention.request.answer)) {
          start_retention(retention, prepared(protocol_->retain(*retention.key), StoreRequest::Kind::kRetain,
                                              "lock " + *retention.key));
          continue;
        }
        retentions.remove_if([&](const Retention& other) { return &other == &retention; });
      }
    }
    return result;
  }

  Result<std::unique_ptr<ObjectStore>> another() override { return make(shared_); }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override {
    return shared_->options.requests.counts->totals();
  }
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
    std::string etag;  // of the object that the store says it has made
    Bytes read;        // of the object that has the name, to compare
    std::size_t compared_bytes = 0;
    bool started = false;
  };
  // What a put does with the answer to its request.
  using TakeAnswer = void (CloudStore::*)(Put&);
  struct Get {
    GetOperation* operation = nullptr;
    CloudStore* store = nullptr;
    StoreRequest request;
  };

  struct ListedPage {
    std::string prefix;
    std::string continuation;  // of the next page; empty: the first, or no more
    StoreRequest request;
    CloudListPage listed;  // its answer
    ObjectKey last_key;    // that was listed: lists are in order, so that one which is listed twice follows itself
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
      return Error{ErrorCode::kUnavailable, page.request.what + ": the store gives the same part of the list again"};
    page.continuation = std::move(listed.continuation);
    return {};
  }

  struct Retention {
    const ObjectKey* key = nullptr;
    StoreRequest request;
    bool done = false;
  };
  void start_retention(Retention& retention, StoreRequest request) {
    retention.done = false;
    request.deadline = retention.request.deadline;  // one budget for the object
    retention.request = std::move(request);
    retention.request.owner = &retention;
    retention.request.done = [](StoreRequest& finished) { static_cast<Retention*>(finished.owner)->done = true; };
    engine_.start(retention.request);
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
      if (answer.status == 200 && offset_bytes > 0) tell_of_whole_objects();
      return check_range(answer, offset_bytes, destination.size());
    };
    return request;
  }

  void tell_of_whole_objects() const {
    if (shared_->whole_objects_told.exchange(true) || !shared_->options.tell) return;
    shared_->options.tell(name_for_messages() +
                          ": the store answers a request for a part of an object with all of it, which makes reading "
                          "slow: see whether a proxy or cache on the way drops the header Range");
  }

  // Who may not list the whole bucket is told "denied" where there is no object (S3 with a policy that limits lists to
  // a prefix); the list of what begins with the key tells the two apart.
  Result<ObjectInfo> stat_by_list(const ObjectKey& key, const Error& denied) {
    StoreRequest request = prepared(protocol_->list(key, ""), StoreRequest::Kind::kList, "list " + key);
    request.text_bytes_max = kListBytesMax;
    if (!engine_.perform(request).ok()) return denied;
    DRS_ASSIGN_OR_RETURN(const CloudListPage page, protocol_->parse_list(request.answer));
    for (const ObjectInfo& object : page.objects)
      if (object.key == key) return denied;
    return Error{ErrorCode::kNotFound, "stat " + key + ": there is no such object"};
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
      finish(put, Error{ErrorCode::kAlreadyExists, "put " + put.operation->key + ": the name is taken"});
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
    const bool taken = !result.ok() && result.error().code == ErrorCode::kAlreadyExists;
    if (taken && put.request.doubtful)
      read_back(put);  // it may be ours, from an attempt whose answer never came
    else if (!result.ok() && put.request.doubtful)
      finish(put, in_doubt(result.error().with_context("after an attempt without an answer")));
    else
      finish(put, result);
  }

  void take_stat_after_put(Put& put) {
    Result<void> result = put.request.result;
    const HttpTransfer& answer = put.request.answer;
    if (!result.ok()) {
      if (result.error().code == ErrorCode::kNotFound)
        result = Error{ErrorCode::kUnavailable, "put " + put.operation->key + ": " + protocol_->name_for_messages() +
                                                    " answered that it had stored the object, and does not have it: "
                                                    "does something on the way answer in its place?"};
      return finish(put, in_doubt(result.error()));
    }
    const auto there = protocol_->parse_stat(put.operation->key, answer);
    const bool same =
        there.ok() && there->size_bytes == body_bytes(*put.operation) && bare_etag(answer.header("etag")) == put.etag;
    if (same)
      finish(put, {});
    else
      read_back(put);
  }

  // Of the object that was just put: the server must refuse it.
  void take_second_put(Put& put) {
    const Result<void> result = put.request.result;
    if (!result.ok()) {
      const bool refused = result.error().code == ErrorCode::kAlreadyExists;
      if (refused) shared_->create_only_proven = true;
      finish(put, refused ? Result<void>() : in_doubt(result.error()));  // the first put was answered with success
      return;
    }
    const ObjectKey& key = put.operation->key;
    ask<&CloudStore::take_removal>(put, prepared(protocol_->remove(key), StoreRequest::Kind::kRemove, "remove " + key));
  }

  // Whether the removal worked does not matter: who may not delete leaves one object without use.
  void take_removal(Put& put) {
    finish(put, Error{ErrorCode::kUsage,
                      "put " + put.operation->key + ": " + protocol_->name_for_messages() +
                          " is on a server that replaces an object although it is asked to create only, so two writers "
                          "could overwrite each other's work: use a server that knows conditional writes, or "
                          "--single-writer if nobody else writes to this repository at the same time"});
  }

  void read_back(Put& put) {
    put.read.resize(std::min(kComparedBytes, std::max<std::size_t>(body_bytes(*put.operation), 1)));
    ask<&CloudStore::compare>(put, ranged(put.operation->key, put.compared_bytes, put.read));
  }

  void compare(Put& put) {
    const std::size_t bytes = body_bytes(*put.operation);
    const HttpTransfer& answer = put.request.answer;
    const bool ends_before = answer.status == 416;  // an empty object has no range
    if (!put.request.result.ok() && !ends_before) return finish(put, in_doubt(put.request.result.error()));
    const std::size_t received = ends_before ? 0 : answer.received_bytes;
    const bool same = ends_before ? bytes == 0
                                  : object_bytes(answer) == bytes && body_matches(*put.operation, put.compared_bytes,
                                                                                  ByteView(put.read).first(received));
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
  options.requests.counts = std::make_shared<RequestCounts>();
  return CloudStore::make(std::make_shared<const Shared>(std::move(make_protocol), clock, std::move(options)));
}

}  // namespace drs
