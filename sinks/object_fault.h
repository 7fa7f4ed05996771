// Tells an object that its store cannot give back from a store that is away. A store that finds rot under an object
// while it sends it answers with success and ends the body early, each time. So does a broken way to the store, and
// that says nothing about the object. What must hold before the object is to blame (RequestEngine asks it in turn):
// - the get was cut again and again, for a while, at about the same place, and never failed in another way;
// - what lies behind that place, asked for in a get no longer than one that was answered whole before, is cut as well,
//   and then that other get, made again, is answered whole: kProofsMin times in turn;
// - and after that the first get is cut once more, there.
// A way that cuts what is long carries the short get. One that cuts by chance treats both gets of a turn alike, so a
// turn goes against the object with a probability of 1/4 at most (p(1-p)), and all of them with less than 1 in 65,000.
// The same holds for a get that is answered with status 500 for the whole budget; instead of what lies behind a cut it
// is asked whether the store has the object, and one turn is enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/http_message.h"
#include "sinks/retry_policy.h"

namespace drs {

struct HttpTransfer;
struct StoreRequest;

// A get that was answered whole, as it can be made again.
struct GoodGet {
  std::string path;
  std::string query;
  std::vector<HttpHeader> headers;  // with its range
  std::uint64_t offset_bytes = 0;
  std::uint64_t bytes = 0;
};

// What all instances of one store know of it. Any thread.
class GoodGets {
 public:
  void note(const StoreRequest& request, const HttpTransfer& answer);  // keeps the largest
  [[nodiscard]] std::optional<GoodGet> largest() const;
  void failed(const std::string& path);  // it is not good any more
  // An object was found to be at fault. The next one needs less time: a disk that rots holds many.
  void found_fault(const std::string& path);
  // One besides the first verdict on `path` itself, which a second reading is there to doubt.
  [[nodiscard]] bool fault_was_found_besides(const std::string& path) const;

 private:
  mutable std::mutex mutex_;
  std::optional<GoodGet> largest_;
  std::string first_fault_;  // its path; empty: none
  bool further_fault_ = false;
};

// What is held against the object of one get. Pure: the caller has the clock.
class ObjectFault {
 public:
  using Time = RetrySchedule::Time;
  static constexpr unsigned kCutsMin = 6;
  static constexpr unsigned kFurtherCutsMin = 3;  // once another object of the store was found to be at fault
  static constexpr unsigned kProofsMin = 8;
  // How far the ends of what came may lie apart. Rot cuts at one place; but what was sent is lost in the buffers on the
  // way (sockets, proxies) where a connection is reset.
  static constexpr std::uint64_t kSamePlaceBytes = kMiB;

  // An attempt was answered with success, and the body ended after `received_bytes`, too early.
  void cut(Time now, std::uint64_t received_bytes);
  // An attempt was answered with status 500.
  void refused(Time now);
  // Failed often and long enough to ask what else must hold. `spent`: the whole budget is.
  [[nodiscard]] bool suspected(Time now, const RetryOptions& options, bool fault_was_found, bool spent) const;
  // When to try again at the latest: kCutsMin attempts find room in the time that a suspicion takes.
  [[nodiscard]] Time next_by(Time now, Time at, const RetryOptions& options) const;
  [[nodiscard]] bool is_cut() const { return cuts_ > 0; }
  [[nodiscard]] std::uint64_t received_bytes_max() const { return received_bytes_max_; }
  void add_proof() { ++proofs_; }
  [[nodiscard]] bool is_proven() const { return proofs_ >= (is_cut() ? kProofsMin : 1); }
  // kIo with EIO: the medium of the store. `last`: what the last attempt failed with, and its answer.
  [[nodiscard]] Error verdict(const Error& last, const StoreRequest& request, const HttpTransfer& answer) const;

 private:
  unsigned cuts_ = 0;
  unsigned refusals_ = 0;
  Time began_{};
  std::uint64_t received_bytes_min_ = 0;
  std::uint64_t received_bytes_max_ = 0;
  unsigned proofs_ = 0;
};

// A get of a range: what an ObjectFault is about.
bool reads_range(const StoreRequest& request);

// The store began to send what such a get asks for, and the body ended early.
bool is_cut(const StoreRequest& request, const HttpTransfer& answer);

// Such a get for what lies behind its first `received_bytes`, into its place: no more than `good` had, and no more than
// is needed to reach the place of the rot.
StoreRequest behind_cut(const StoreRequest& request, std::uint64_t received_bytes, const GoodGet& good);

// A good get made again, into the place of a request that failed: as much of it as finds room there, and at least as
// much as `behind_cut` asks for.
StoreRequest made_again(const GoodGet& get, const StoreRequest& failed);

}  // namespace drs
