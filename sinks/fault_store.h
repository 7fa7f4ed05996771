// A store that fails as told, around any other store: for the tests of everything that uses one. A FaultPlan says which
// operation fails and how; it is shared by all instances, counts every operation, and so lets a test fail the first,
// the second, ... until a run meets no fault any more.
//
// Counted, in the order of the calls: put (once, also when named later), get, list, stat, remove.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

enum class FaultKind : std::uint8_t {
  kFail,          // nothing happens; the caller sees `code`
  kLoseReply,     // it happens; the caller of a put or remove sees kUnavailable. Others fail with kUnavailable
  kTear,          // a put stores a part of the object under its name, kUnavailable. Others fail with kUnavailable
  kTearSilently,  // a put stores a part and reports success, as no store should: the reader must notice
};

struct Fault {
  FaultKind kind = FaultKind::kFail;
  ErrorCode code = ErrorCode::kUnavailable;  // for kFail: kUnavailable, kNoSpace, kDenied, kIo (EIO)
};

// Any thread.
class FaultPlan {
 public:
  explicit FaultPlan(std::uint64_t seed = 0) : random_(seed) {}
  // The nth operation from now (from 1) meets `fault`. Several may be planned.
  void fail_nth(std::uint64_t nth, Fault fault);
  // Every operation meets `fault` with this probability, by the seed.
  void fail_randomly(double probability, Fault fault);
  // Completions are held back and delivered in another order, by the seed.
  void reorder_completions(bool on);

  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] std::uint64_t faults() const;  // how many operations met one

  // For FaultStore: counts an operation and says what it meets.
  std::optional<Fault> next_operation();
  [[nodiscard]] bool reorders() const;
  std::uint64_t random_below(std::uint64_t bound);  // bound > 0

 private:
  struct Planned {
    std::uint64_t operation;
    Fault fault;
  };
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::vector<Planned> planned_;
  double probability_ = 0;
  Fault random_fault_;
  bool reorders_ = false;
  std::uint64_t operations_ = 0;
  std::uint64_t faults_ = 0;
};

// `inner` is owned; `plan` shared with every `another`.
std::unique_ptr<ObjectStore> make_fault_store(std::unique_ptr<ObjectStore> inner, std::shared_ptr<FaultPlan> plan);

}  // namespace drs
