#include "sinks/fault_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/base/byte_pieces.h"
#include "sinks/forwarding_store.h"

namespace drs {
namespace {

Error fault_error(const Fault& fault, std::string_view action, const ObjectKey& key) {
  const ErrorCode code = fault.kind == FaultKind::kFail ? fault.code : ErrorCode::kUnavailable;
  return Error(code, std::string(action) + " '" + key + "': planned fault (" + std::string(error_code_name(code)) + ")",
               code == ErrorCode::kIo ? EIO : 0);
}

class FaultStore final : public ForwardingStore {
 public:
  FaultStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<FaultPlan> plan)
      : ForwardingStore(std::move(inner)), plan_(std::move(plan)) {}
  ~FaultStore() override { end_inner(); }

  void put(PutOperation& operation) override {
    Put& put = *puts_.emplace_back(std::make_unique<Put>());
    put.outer = &operation;
    put.fault = plan_->next_operation();
    if (put.fails_at_once()) {
      put.ready = !operation.key.empty();
      return;
    }
    put.inner.key = operation.key;
    put.inner.body = put.tears() ? torn(operation.body) : operation.body;
    put.inner.owner = &put;
    put.inner.done = [](PutOperation& inner) { static_cast<Put*>(inner.owner)->ready = true; };
    inner().put(put.inner);
  }

  void name(PutOperation& operation, ObjectKey key) override {
    Put& put = unnamed(operation);
    operation.key = key;
    if (put.fails_at_once()) {
      put.ready = true;
    } else {
      inner().name(put.inner, std::move(key));
    }
  }

  void drop(PutOperation& operation) override {
    Put& put = unnamed(operation);
    put.dropped = true;
    if (put.fails_at_once()) {
      put.ready = true;
    } else {
      inner().drop(put.inner);
    }
  }

  void get(GetOperation& operation) override {
    Get& get = *gets_.emplace_back(std::make_unique<Get>());
    get.outer = &operation;
    get.fault = plan_->next_operation();
    if (get.fault) {
      get.ready = true;
      return;
    }
    get.inner.key = operation.key;
    get.inner.offset_bytes = operation.offset_bytes;
    get.inner.destination = operation.destination;
    get.inner.owner = &get;
    get.inner.done = [](GetOperation& inner) { static_cast<Get*>(inner.owner)->ready = true; };
    inner().get(get.inner);
  }

  Result<std::size_t> run(bool wait) override {
    Result<std::size_t> moved = inner().run(wait && !any_ready());
    std::vector<std::unique_ptr<Put>> puts = take_ready(puts_);
    std::vector<std::unique_ptr<Get>> gets = take_ready(gets_);
    if (plan_->reorders()) {
      hold_back(puts, puts_, wait && gets.empty());
      hold_back(gets, gets_, wait && puts.empty());
    }
    for (const auto& put : puts) deliver(*put);
    for (const auto& get : gets) deliver(*get);
    if (!moved.ok()) return moved;
    return puts.size() + gets.size();
  }

  [[nodiscard]] std::size_t in_flight() const override { return puts_.size() + gets_.size(); }

  // Each prefix is an operation that can fail.
  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) {
      if (const auto fault = plan_->next_operation()) return fault_error(*fault, "list", std::string(prefix));
      DRS_RETURN_IF_ERROR(inner().list(prefix, visit));
    }
    return {};
  }

  Result<ObjectInfo> stat(const ObjectKey& key) override {
    if (const auto fault = plan_->next_operation()) return fault_error(*fault, "stat", key);
    return inner().stat(key);
  }

  Result<void> remove(const ObjectKey& key) override {
    const auto fault = plan_->next_operation();
    if (fault && fault->kind != FaultKind::kLoseReply) return fault_error(*fault, "remove", key);
    Result<void> removed = inner().remove(key);
    if (fault) return fault_error(*fault, "remove", key);
    return removed;
  }

  Result<void> remove_all(std::span<const ObjectKey> keys) override { return remove_each(*this, keys); }

  [[nodiscard]] StoreDescription describe() const override {
    StoreDescription description = ForwardingStore::describe();
    description.io += ", planned faults";
    return description;
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return make_fault_store(std::move(inner), plan_);
  }

  struct Put {
    PutOperation inner;
    PutOperation* outer = nullptr;
    std::optional<Fault> fault;
    bool dropped = false;
    bool ready = false;
    [[nodiscard]] bool fails_at_once() const { return fault && fault->kind == FaultKind::kFail; }
    [[nodiscard]] bool tears() const {
      return fault && (fault->kind == FaultKind::kTear || fault->kind == FaultKind::kTearSilently);
    }
  };
  struct Get {
    GetOperation inner;
    GetOperation* outer = nullptr;
    std::optional<Fault> fault;
    bool ready = false;
  };

  // The body without its end, by at least one byte.
  std::vector<ByteView> torn(const std::vector<ByteView>& body) {
    const std::size_t body_bytes = total_bytes(body);
    std::uint64_t left_bytes = body_bytes == 0 ? 0 : plan_->random_below(body_bytes);
    std::vector<ByteView> kept;
    for (const ByteView piece : body) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left_bytes));
      kept.push_back(piece.first(count));
      left_bytes -= count;
    }
    return kept;
  }

  Put& unnamed(const PutOperation& operation) {
    const auto found =
        std::find_if(puts_.begin(), puts_.end(), [&](const auto& put) { return put->outer == &operation; });
    DRS_ASSERT(found != puts_.end() && operation.key.empty(), "the put is not waiting for a name");
    return **found;
  }

  [[nodiscard]] bool any_ready() const {
    const auto ready = [](const auto& operation) { return operation->ready; };
    return std::any_of(puts_.begin(), puts_.end(), ready) || std::any_of(gets_.begin(), gets_.end(), ready);
  }

  template <typename T>
  static std::vector<std::unique_ptr<T>> take_ready(std::vector<std::unique_ptr<T>>& from) {
    std::vector<std::unique_ptr<T>> taken;
    for (auto& operation : from) {
      if (operation->ready) taken.push_back(std::move(operation));
    }
    std::erase(from, nullptr);
    return taken;
  }

  // Shuffles what is to be delivered and returns some of it to `queue`, all but one if `one_at_least`.
  template <typename T>
  void hold_back(std::vector<std::unique_ptr<T>>& ready, std::vector<std::unique_ptr<T>>& queue, bool one_at_least) {
    for (std::size_t i = ready.size(); i > 1; --i) std::swap(ready[i - 1], ready[plan_->random_below(i)]);
    const std::size_t kept_max = ready.size() - (one_at_least && !ready.empty() ? 1 : 0);
    for (std::uint64_t kept = plan_->random_below(kept_max + 1); kept > 0; --kept) {
      queue.push_back(std::move(ready.back()));
      ready.pop_back();
    }
  }

  static void deliver(Put& put) {
    PutOperation& outer = *put.outer;
    outer.result = std::move(put.inner.result);
    const bool reported = put.fault && put.fault->kind != FaultKind::kTearSilently;
    // A store that found the name taken or failed by itself says so; what was planned cannot make that better.
    if (put.dropped) {
      outer.result = Error(ErrorCode::kCancelled, "the put was dropped before it had a name");
    } else if (reported && (put.fails_at_once() || outer.result.ok())) {
      outer.result = fault_error(*put.fault, "put", outer.key);
    }
    outer.done(outer);
  }

  static void deliver(Get& get) {
    GetOperation& outer = *get.outer;
    if (get.fault) {
      outer.result = fault_error(*get.fault, "get", outer.key);
    } else {
      outer.result = std::move(get.inner.result);
    }
    outer.done(outer);
  }

  std::vector<std::unique_ptr<Put>> puts_;
  std::vector<std::unique_ptr<Get>> gets_;
  const std::shared_ptr<FaultPlan> plan_;
};

}  // namespace

void FaultPlan::fail_nth(std::uint64_t nth, Fault fault) {
  const std::scoped_lock lock(mutex_);
  planned_.push_back({operations_ + nth, fault});
}

void FaultPlan::fail_randomly(double probability, Fault fault) {
  const std::scoped_lock lock(mutex_);
  probability_ = probability;
  random_fault_ = fault;
}

void FaultPlan::reorder_completions(bool on) {
  const std::scoped_lock lock(mutex_);
  reorders_ = on;
}

std::uint64_t FaultPlan::operations() const {
  const std::scoped_lock lock(mutex_);
  return operations_;
}

std::uint64_t FaultPlan::faults() const {
  const std::scoped_lock lock(mutex_);
  return faults_;
}

std::optional<Fault> FaultPlan::next_operation() {
  const std::scoped_lock lock(mutex_);
  ++operations_;
  std::optional<Fault> fault;
  for (const Planned& planned : planned_) {
    if (planned.operation == operations_) fault = planned.fault;
  }
  if (!fault && probability_ > 0 && std::bernoulli_distribution(probability_)(random_)) fault = random_fault_;
  if (fault) ++faults_;
  return fault;
}

bool FaultPlan::reorders() const {
  const std::scoped_lock lock(mutex_);
  return reorders_;
}

std::uint64_t FaultPlan::random_below(std::uint64_t bound) {
  const std::scoped_lock lock(mutex_);
  return random_() % bound;
}

std::unique_ptr<ObjectStore> make_fault_store(std::unique_ptr<ObjectStore> inner, std::shared_ptr<FaultPlan> plan) {
  return std::make_unique<FaultStore>(std::move(inner), std::move(plan));
}

}  // namespace drs
