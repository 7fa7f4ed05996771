// A store around any other store that fails on request, for tests. A FaultPlan says which operation fails and how. All
// instances share it, and it counts every operation, so a test can fail the first operation, then the second, and so
// on, until a run meets no fault any more.
//
// Operations count in the order of the calls: put (once, even if it is named later), get, list, stat, remove.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

enum class FaultKind : std::uint8_t {
  kFail,          // nothing happens; the caller sees `code`
  kLoseReply,     // a put or remove takes effect, but its caller sees kUnavailable; other operations fail with it
  kTear,          // a put stores a part of the object and fails with kUnavailable; other operations fail with it
  kTearSilently,  // a put stores a part and reports success, which no store may do: the reader has to notice
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
  // Every operation meets `fault` with this probability, drawn from the seed.
  void fail_randomly(double probability, Fault fault);
  // Holds completions back and delivers them in another order, drawn from the seed.
  void reorder_completions(bool on);

  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] std::uint64_t faults() const;  // operations that met a fault

  // For FaultStore: counts an operation and returns the fault that it meets, if any.
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

// Owns `inner`; every `clone` shares `plan`.
std::unique_ptr<ObjectStore> make_fault_store(std::unique_ptr<ObjectStore> inner, std::shared_ptr<FaultPlan> plan);

}  // namespace drs
