// CloudStore: an ObjectStore over HTTP. A CloudProtocol (sinks/cloud/s3, sinks/cloud/gcs) defines the requests of one
// kind of store and the meaning of its answers; everything else is common to all and is here.
//
// A put is one request that never replaces. A request without an answer is repeated, and an earlier attempt may have
// stored the object: such a put ends with kAlreadyExists or kUnavailable, even if the object is there. The caller
// settles every put (sinks/settled_put.h); this store never compares bytes. Requests are repeated as
// sinks/transport/retry_policy.h says, so callers see neither a short outage nor an answer that does not match its
// request.
//
// An answer of success to a put counts if it proves that the bytes are stored (CloudProtocol::shows_stored). Without
// that proof, the store stats the object: an object with another length or ETag ends the put with kAlreadyExists.
//
// The store does not trust the server to refuse a replacement: it puts the first object of a session twice, and the
// server must refuse the second put.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/clock.h"
#include "sinks/object_store.h"
#include "sinks/transport/request_engine.h"

namespace drs {

struct CloudListPage {
  std::vector<ObjectInfo> objects;  // named by their keys, without the prefix
  std::string continuation;         // requests the next page; empty: this was the last
};

// A protocol sets the method, path, query and headers of a request and, if needed, its preamble and trailer; the store
// sets the rest. Threads: one thread at a time.
class CloudProtocol : public StoreProtocol {
 public:
  virtual StoreRequest put(const PutOperation& operation) = 0;
  // Whether the answer of success to a put proves that exactly these bytes are stored, by their checksum.
  [[nodiscard]] virtual bool shows_stored(const StoreRequest& /*put*/, const HttpTransfer& /*answer*/) const {
    return true;
  }
  // `bytes` > 0. The answer is 206 with a Content-Range, or 200 with the whole object, which only costs time.
  virtual StoreRequest get(const ObjectKey& key, std::uint64_t offset_bytes, std::size_t bytes) = 0;
  virtual StoreRequest stat(const ObjectKey& key) = 0;
  // Errors: kUnavailable for an answer that cannot be parsed.
  virtual Result<ObjectInfo> parse_stat(const ObjectKey& key, const HttpTransfer& answer) = 0;
  virtual StoreRequest remove(const ObjectKey& key) = 0;
  // Removal of several keys in one request: the number of keys at most (1: there is no such request), the request, and
  // the result in its answer. Errors: the one for a key that remains; kUnavailable if the same request may succeed
  // later.
  [[nodiscard]] virtual std::size_t remove_keys_max() const { return 1; }
  virtual StoreRequest remove_several(std::span<const ObjectKey> /*keys*/) { return {}; }
  virtual Result<void> parse_remove_several(const HttpTransfer& /*answer*/) { return {}; }
  // `continuation` is empty for the first page.
  virtual StoreRequest list(std::string_view prefix, const std::string& continuation) = 0;
  // Leaves out objects outside the repository and names that are not keys. Errors: kUnavailable.
  virtual Result<CloudListPage> parse_list(const HttpTransfer& answer) = 0;

  // For StoreTraits::locks and ObjectStore::secure: whether the answer to `stat` shows a lock that lasts for the period
  // of the store from now on, and the request that locks the object for that period. The store calls these two only if
  // `locks`.
  [[nodiscard]] virtual bool locks() const { return false; }
  [[nodiscard]] virtual bool locked_long_enough(const HttpTransfer& /*stat_answer*/) const { return false; }
  virtual StoreRequest lock(const ObjectKey& /*key*/) { return {}; }

  [[nodiscard]] virtual std::string name_for_messages() const = 0;  // "s3://bucket/prefix"
  [[nodiscard]] virtual std::string connection() const = 0;         // "HTTPS to s3.eu-central-1.amazonaws.com"
};

struct CloudStoreOptions {
  HttpClientOptions http;
  RequestEngine::Options requests;  // the store sets `outage` and `good_gets`
  StoreOutage::Report report;       // reports to the operator; may be empty
  // The server has no conditional writes, and the protocol does not ask for any. A put first checks that the name is
  // free, which is safe only while there is no other writer.
  bool single_writer = false;
};

// Called once for each instance of the store (ObjectStore::clone). The function holds what the instances share.
using MakeCloudProtocol = std::function<std::unique_ptr<CloudProtocol>()>;

// `clock` must outlive the store. Errors of the operations of the store: those of the contract, those that the protocol
// derives from answers, and kUsage for the first put to a server that replaces objects.
Result<std::unique_ptr<ObjectStore>> open_cloud_store(MakeCloudProtocol make_protocol, const Clock& clock,
                                                      CloudStoreOptions options);

}  // namespace drs
