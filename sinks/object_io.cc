#include "sinks/object_io.h"

#include <algorithm>
#include <list>
#include <vector>

namespace drs {
namespace {

// Most objects that are read whole are smaller, so one request replaces two: for the size and for the bytes.
constexpr std::size_t kFirstReadBytes = 64 * kKiB;

// Runs the store until `finished` is set. If `run` fails, the store has ended every operation before.
Result<void> run_until(ObjectStore& store, const bool& finished) {
  while (!finished) {
    DRS_ASSERT(store.in_flight() > 0, "a store lost an operation");
    DRS_RETURN_IF_ERROR(store.run(true));
  }
  return {};
}

Error too_large(const ObjectStore& store, const ObjectInfo& info, std::size_t size_bytes_max) {
  return Error(ErrorCode::kCorrupt, store.name_for_messages() + "/" + info.key + " has " +
                                        std::to_string(info.size_bytes) + " bytes, more than the " +
                                        std::to_string(size_bytes_max) + " that such an object can have");
}

Error ends_early(const ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes, std::size_t wanted,
                 std::size_t delivered) {
  return Error(ErrorCode::kTruncated, store.name_for_messages() + "/" + key + " ends early: wanted " +
                                          std::to_string(wanted) + " bytes from " + std::to_string(offset_bytes) +
                                          ", got " + std::to_string(delivered));
}

// Objects being read: at most as many at once as the store takes.
class ObjectsRead {
 public:
  ObjectsRead(ObjectStore& store, std::span<const ObjectInfo> objects, std::size_t size_bytes_max)
      : store_(store), objects_(objects), size_bytes_max_(size_bytes_max) {}

  Result<void> run(const std::function<Result<void>(std::size_t, Result<Bytes>)>& visit) {
    std::size_t next = 0;
    Result<void> outcome;
    while (next < objects_.size() || !reads_.empty()) {
      while (outcome.ok() && next < objects_.size() && reads_.size() < store_.parallel_max()) {
        if (objects_[next].size_bytes > size_bytes_max_)
          outcome = visit(next, too_large(store_, objects_[next], size_bytes_max_));
        else
          start(next);
        ++next;
      }
      if (!outcome.ok()) next = objects_.size();  // those in flight borrow from here until they are done
      if (reads_.empty()) continue;
      DRS_RETURN_IF_ERROR(store_.run(true));
      for (auto at = reads_.begin(); at != reads_.end();) {
        if (!at->done) {
          ++at;
          continue;
        }
        if (outcome.ok()) outcome = visit(at->place, taken(*at));
        at = reads_.erase(at);
      }
    }
    return outcome;
  }

 private:
  struct Read {
    std::size_t place = 0;
    Bytes bytes;
    GetOperation operation;
    bool done = false;
  };

  void start(std::size_t place) {
    Read& read = reads_.emplace_back();
    read.place = place;
    read.bytes.resize(static_cast<std::size_t>(objects_[place].size_bytes));
    read.operation.key = objects_[place].key;
    read.operation.destination = read.bytes;
    read.operation.done = [](GetOperation& get) { static_cast<Read*>(get.owner)->done = true; };
    read.operation.owner = &read;
    store_.get(read.operation);
  }

  Result<Bytes> taken(Read& read) const {
    if (!read.operation.result.ok()) return read.operation.result.error();
    if (const std::size_t got = *read.operation.result; got < read.bytes.size())
      return ends_early(store_, read.operation.key, 0, read.bytes.size(), got);
    return std::move(read.bytes);
  }

  ObjectStore& store_;
  const std::span<const ObjectInfo> objects_;
  const std::size_t size_bytes_max_;
  std::list<Read> reads_;
};

}  // namespace

Result<std::size_t> get_up_to(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                              MutableByteView destination) {
  bool finished = false;
  GetOperation operation{.key = key,
                         .offset_bytes = offset_bytes,
                         .destination = destination,
                         .done = [](GetOperation& get) { *static_cast<bool*>(get.owner) = true; },
                         .owner = &finished};
  store.get(operation);
  DRS_RETURN_IF_ERROR(run_until(store, finished));
  return std::move(operation.result);
}

Result<void> put_object(ObjectStore& store, const ObjectKey& key, ByteView body, const std::optional<Digest>& sha256) {
  if (!is_valid_object_key(key)) return Error(ErrorCode::kUsage, "not an object key: \"" + key + "\"");
  bool finished = false;
  PutOperation operation{.key = key,
                         .body = {body},
                         .sha256 = sha256,
                         .result = {},
                         .done = [](PutOperation& put) { *static_cast<bool*>(put.owner) = true; },
                         .owner = &finished};
  store.put(operation);
  DRS_RETURN_IF_ERROR(run_until(store, finished));
  return std::move(operation.result);
}

Result<Bytes> get_object(ObjectStore& store, const ObjectKey& key, std::size_t size_bytes_max) {
  Bytes bytes(std::min(size_bytes_max, kFirstReadBytes) + 1);
  DRS_ASSIGN_OR_RETURN(const std::size_t delivered, get_up_to(store, key, 0, bytes));
  if (delivered < bytes.size()) {
    bytes.resize(delivered);
    return bytes;
  }
  DRS_ASSIGN_OR_RETURN(const ObjectInfo info, store.stat(key));
  if (info.size_bytes > size_bytes_max) return too_large(store, info, size_bytes_max);
  bytes.resize(static_cast<std::size_t>(info.size_bytes));
  DRS_RETURN_IF_ERROR(get_range(store, key, delivered, MutableByteView(bytes).subspan(delivered)));
  return bytes;
}

Result<void> get_range(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                       MutableByteView destination) {
  DRS_ASSIGN_OR_RETURN(const std::size_t delivered, get_up_to(store, key, offset_bytes, destination));
  if (delivered < destination.size()) return ends_early(store, key, offset_bytes, destination.size(), delivered);
  return {};
}

Result<void> get_objects(ObjectStore& store, std::span<const ObjectInfo> objects, std::size_t size_bytes_max,
                         const std::function<Result<void>(std::size_t, Result<Bytes>)>& visit) {
  return ObjectsRead(store, objects, size_bytes_max).run(visit);
}

Result<void> get_ranges(ObjectStore& store, std::span<RangeRead> reads) {
  std::size_t done = 0;
  std::vector<GetOperation> operations(reads.size());
  for (std::size_t i = 0; i < reads.size(); ++i) {
    operations[i].key = reads[i].key;
    operations[i].offset_bytes = reads[i].offset_bytes;
    operations[i].destination = reads[i].destination;
    operations[i].done = [](GetOperation& get) { ++*static_cast<std::size_t*>(get.owner); };
    operations[i].owner = &done;
    store.get(operations[i]);
  }
  while (done < reads.size()) DRS_RETURN_IF_ERROR(store.run(true));
  for (std::size_t i = 0; i < reads.size(); ++i) {
    RangeRead& read = reads[i];
    const Result<std::size_t>& delivered = operations[i].result;
    if (!delivered.ok())
      read.result = delivered.error();
    else if (*delivered < read.destination.size())
      read.result = ends_early(store, read.key, read.offset_bytes, read.destination.size(), *delivered);
  }
  return {};
}

}  // namespace drs
