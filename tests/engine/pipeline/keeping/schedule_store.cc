#include "tests/engine/pipeline/keeping/schedule_store.h"

#include "sinks/object_io.h"

namespace drs::test {
namespace {

Error no_answer(Fault fault) {
  return {ErrorCode::kUnavailable, fault == Fault::kStop ? "this actor is stopped" : "the answer is lost"};
}

}  // namespace

std::size_t TurnStore::in_flight() const {
  return puts_.size() + gets_.size() + inner().in_flight();
}

Result<std::size_t> TurnStore::run(bool wait) {
  const auto puts = std::exchange(puts_, {});
  const auto gets = std::exchange(gets_, {});
  for (const Put& put : puts) finish(put);
  for (GetOperation* const get : gets) finish(*get);
  const std::size_t count = puts.size() + gets.size();
  DRS_ASSIGN_OR_RETURN(const std::size_t dropped, inner().run(wait && count == 0));
  return count + dropped;
}

// The inner store does the operation while the turn is held; its `done` runs afterwards.
void TurnStore::finish(const Put& put) {
  PutOperation& operation = *put.operation;
  const bool is_named_now = !put.key.empty();
  const ObjectKey key = is_named_now ? put.key : operation.key;
  const auto done = std::exchange(operation.done, [](PutOperation&) {});
  const auto effect = [&] {
    if (is_named_now)
      inner().name(operation, key);
    else
      inner().put(operation);
    static_cast<void>(inner().run(false));
  };
  const Fault fault = take("put", key, effect, late_put(key, operation));
  const bool reached = fault == Fault::kNone || fault == Fault::kLostAnswer;
  if (!reached && is_named_now) {
    inner().drop(operation);
    static_cast<void>(inner().run(false));
    operation.key = key;
  }
  if (fault != Fault::kNone) operation.result = no_answer(fault);
  operation.done = done;
  done(operation);
}

std::function<void()> TurnStore::late_put(const ObjectKey& key, const PutOperation& operation) {
  auto bytes = std::make_shared<Bytes>();
  for (const ByteView piece : operation.body) bytes->insert(bytes->end(), piece.begin(), piece.end());
  std::shared_ptr<ObjectStore> store = *inner().clone();
  return [key, bytes, store] { static_cast<void>(put_object(*store, key, *bytes)); };
}

std::function<void()> TurnStore::late_remove(const ObjectKey& key) {
  std::shared_ptr<ObjectStore> store = *inner().clone();
  return [key, store] { static_cast<void>(store->remove(key)); };
}

void TurnStore::finish(GetOperation& get) {
  const auto done = std::exchange(get.done, [](GetOperation&) {});
  const Fault fault = take("get", get.key, [&] {
    inner().get(get);
    static_cast<void>(inner().run(false));
  });
  if (fault != Fault::kNone) get.result = no_answer(fault);
  get.done = done;
  done(get);
}

Result<void> TurnStore::list_together(std::span<const std::string_view> prefixes, const Visit& visit) {
  for (const std::string_view prefix : prefixes) {
    std::vector<ObjectInfo> listed;
    Result<void> result;
    const Fault fault = take("list", ObjectKey(prefix), [&] {
      result = inner().list(prefix, [&](const ObjectInfo& info) -> Result<void> {
        listed.push_back(info);
        return {};
      });
    });
    if (fault != Fault::kNone) return no_answer(fault);
    DRS_RETURN_IF_ERROR(result);
    for (const ObjectInfo& info : listed) DRS_RETURN_IF_ERROR(visit(info));
  }
  return {};
}

Result<ObjectInfo> TurnStore::stat(const ObjectKey& key) {
  Result<ObjectInfo> result = no_answer(Fault::kStop);
  const Fault fault = take("stat", key, [&] { result = inner().stat(key); });
  if (fault != Fault::kNone) return no_answer(fault);
  return result;
}

Result<void> TurnStore::remove(const ObjectKey& key) {
  Result<void> result;
  const Fault fault = take(
      "remove", key, [&] { result = inner().remove(key); }, late_remove(key));
  if (fault != Fault::kNone) return no_answer(fault);
  return result;
}

}  // namespace drs::test
