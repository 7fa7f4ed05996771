// Distinguishes an object that its store cannot return from a store that cannot be reached. A store that finds bit rot
// while it sends an object answers with success and ends the body early, each time. A broken network path does the
// same, and that says nothing about the object. The object is to blame if all of this holds, which RequestEngine asks
// in this order:
// - The get was cut repeatedly, for a while, at about the same place, and failed in no other way.
// - In kProofsMin turns, a get of what follows the cut, no longer than a get that succeeded before, is cut as well, and
//   then the get that succeeded before succeeds again.
// - After that, the first get is cut once more, at the same place.
// A path that cuts long answers carries the short get. A path that cuts at random treats both gets of a turn alike: a
// turn goes against the object with a probability of at most 1/4 (p(1-p)), and all turns with less than 1 in 65,000.
// The same applies to a get that is answered with status 500 for the whole budget. One turn is enough then, and it asks
// whether the store has the object instead of what follows a cut.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/transport/http_message.h"
#include "sinks/transport/retry_policy.h"

namespace drs {

struct HttpTransfer;
struct StoreRequest;

// A get that succeeded, in a form that can be repeated.
struct GoodGet {
  std::string path;
  std::string query;
  std::vector<HttpHeader> headers;  // including Range
  std::uint64_t offset_bytes = 0;
  std::uint64_t bytes = 0;
};

// What all instances of one store share. Any thread.
class GoodGets {
 public:
  void note(const StoreRequest& request, const HttpTransfer& answer);  // keeps the longest
  [[nodiscard]] std::optional<GoodGet> largest() const;
  void failed(const std::string& path);  // forgets a get of that path
  // Records an object at fault. The next verdict needs less time, since a failing disk damages many objects.
  void found_fault(const std::string& path);
  // Whether a fault other than the first verdict on `path` itself was found: a second reading exists to doubt that one.
  [[nodiscard]] bool fault_was_found_besides(const std::string& path) const;

 private:
  mutable std::mutex mutex_;
  std::optional<GoodGet> largest_;
  std::string first_fault_;  // the path of the first object at fault; empty: none
  bool further_fault_ = false;
};

// The evidence against the object of one get. Pure: the caller has the clock.
class ObjectFault {
 public:
  using Time = RetrySchedule::Time;
  static constexpr unsigned kCutsMin = 6;
  static constexpr unsigned kFurtherCutsMin = 3;  // after a fault of another object of the store
  static constexpr unsigned kProofsMin = 8;
  // How far apart the ends of the received parts may lie. Bit rot cuts at one place, but a reset connection loses what
  // is in the buffers of sockets and proxies.
  static constexpr std::uint64_t kSamePlaceBytes = kMiB;

  // An attempt was answered with success, and the body ended too early, after `received_bytes`.
  void cut(Time now, std::uint64_t received_bytes);
  // An attempt was answered with status 500.
  void refused(Time now);
  struct Circumstances {
    bool fault_was_found = false;  // GoodGets::fault_was_found_besides
    bool budget_spent = false;     // the whole budget of the get is spent
  };
  // Whether the get failed often and long enough to gather proofs.
  [[nodiscard]] bool suspected(Time now, const RetryOptions& options, Circumstances circumstances) const;
  // The latest time of the next attempt, so that kCutsMin attempts fit into the time of a suspicion.
  [[nodiscard]] Time next_by(Time now, Time at, const RetryOptions& options) const;
  [[nodiscard]] bool is_cut() const { return cuts_ > 0; }
  [[nodiscard]] std::uint64_t received_bytes_max() const { return received_bytes_max_; }
  void add_proof() { ++proofs_; }
  [[nodiscard]] bool is_proven() const { return proofs_ >= (is_cut() ? kProofsMin : 1); }
  // The error for the object: kIo with EIO, a fault of the medium of the store. `last` and `answer` are those of the
  // last attempt.
  [[nodiscard]] Error verdict(const Error& last, const StoreRequest& request, const HttpTransfer& answer) const;

 private:
  unsigned cuts_ = 0;
  unsigned refusals_ = 0;
  Time began_{};
  std::uint64_t received_bytes_min_ = 0;
  std::uint64_t received_bytes_max_ = 0;
  unsigned proofs_ = 0;
};

// Whether the request is a get of a range, which an ObjectFault is about.
bool reads_range(const StoreRequest& request);

// Whether the store began to send the range, and the body ended early.
bool is_cut(const StoreRequest& request, const HttpTransfer& answer);

// A get for what follows the first `received_bytes` of the request, into its memory: no longer than `good`, and no
// longer than needed to reach the place of the cut.
StoreRequest behind_cut(const StoreRequest& request, std::uint64_t received_bytes, const GoodGet& good);

// Repeats a get that succeeded, into the memory of the request that failed: as much of it as fits, and at least as much
// as `behind_cut` asks for.
StoreRequest made_again(const GoodGet& get, const StoreRequest& failed);

}  // namespace drs
