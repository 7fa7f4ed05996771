// CloudStore: an ObjectStore over HTTP. How one kind of store is spoken to - which request stores, reads, lists, and
// what its answers mean - is a CloudProtocol (sinks/s3, sinks/gcs); everything else is the same for all of them and is
// here.
//
// A put is one request that never replaces. A reply that was lost is asked for again; where the name is taken then, the
// object is read and compared. Requests are made again as sinks/retry_policy.h says, so an outage that ends in time is
// not seen from outside, and so are answers that come in full but are not what was asked for.
//
// An answer of success to a put is believed where it shows that the bytes are stored (CloudProtocol::shows_stored);
// else the object is looked for.
//
// That the server does refuse to replace is not taken on trust: the first object that is put in a session is put twice,
// and the second time must be refused.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/clock.h"
#include "sinks/object_store.h"
#include "sinks/request_engine.h"

namespace drs {

struct CloudListPage {
  std::vector<ObjectInfo> objects;  // by our keys
  std::string continuation;         // what asks for the next page; empty: this was the last
};

// A request that a protocol makes has its method, path, query, headers and, where needed, preamble and trailer; the
// rest is the store's to set. Threads: one thread at a time.
class CloudProtocol : public StoreProtocol {
 public:
  virtual StoreRequest put(const PutOperation& operation) = 0;
  // Whether the answer of success to a put shows that just these bytes are stored: it names their checksum.
  [[nodiscard]] virtual bool shows_stored(const StoreRequest& /*put*/, const HttpTransfer& /*answer*/) const {
    return true;
  }
  // `bytes` > 0. Answered with 206 and a Content-Range; or with 200 and the whole object, which costs time only.
  virtual StoreRequest get(const ObjectKey& key, std::uint64_t offset_bytes, std::size_t bytes) = 0;
  virtual StoreRequest stat(const ObjectKey& key) = 0;
  // Errors: kUnavailable for what cannot be understood.
  virtual Result<ObjectInfo> parse_stat(const ObjectKey& key, const HttpTransfer& answer) = 0;
  virtual StoreRequest remove(const ObjectKey& key) = 0;
  // Several in one request: how many at most (1: there is no such request), the request, and what its answer says.
  // Errors: of a key that stays; kUnavailable where the same request may help.
  [[nodiscard]] virtual std::size_t remove_keys_max() const { return 1; }
  virtual StoreRequest remove_several(std::span<const ObjectKey> /*keys*/) { return {}; }
  virtual Result<void> parse_remove_several(const HttpTransfer& /*answer*/) { return {}; }
  // `continuation` is empty for the first page.
  virtual StoreRequest list(std::string_view prefix, const std::string& continuation) = 0;
  // Objects outside the repository and names that are no keys are left out. Errors: kUnavailable.
  virtual Result<CloudListPage> parse_list(const HttpTransfer& answer) = 0;

  // ObjectStore::locks and what `retain` needs: whether the answer to `stat` shows a lock that lasts for the store's
  // period from now, and the request that gives it one. The latter two only where `locks`.
  [[nodiscard]] virtual bool locks() const { return false; }
  [[nodiscard]] virtual bool locked_long_enough(const HttpTransfer& /*stat_answer*/) const { return false; }
  virtual StoreRequest retain(const ObjectKey& /*key*/) { return {}; }

  [[nodiscard]] virtual std::string name_for_messages() const = 0;  // "s3://bucket/prefix"
  [[nodiscard]] virtual std::string connection() const = 0;         // "HTTPS to s3.eu-central-1.amazonaws.com"
};

struct CloudStoreOptions {
  HttpClientOptions http;
  RequestEngine::Options requests;  // `outage` and `good_gets` are the store's to set
  StoreOutage::Tell tell;           // what the operator should hear about the store; may be empty
  // The server cannot be asked to create only; the protocol does not ask it. A put looks first whether the name is
  // taken, which is right as long as nobody else writes.
  bool single_writer = false;
};

// Called once for each instance of the store (ObjectStore::another); what they share is the function's to hold.
using MakeCloudProtocol = std::function<std::unique_ptr<CloudProtocol>()>;

// `clock` must outlive the store. Errors of its operations: those of the contract, what the protocol makes of answers,
// and kUsage for the first put to a server that replaces.
Result<std::unique_ptr<ObjectStore>> open_cloud_store(MakeCloudProtocol make_protocol, const Clock& clock,
                                                      CloudStoreOptions options);

}  // namespace drs
