// Decides how a put ended, for every object that something relies on; no other code decides it. A put that got no
// answer may have stored its object, and an earlier attempt of the same put may have taken the name. So the object
// under the name is read and compared. Blocking. Threads: that of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

struct PutOutcome {
  enum class State : std::uint8_t {
    kStored,      // the object is there and holds the bytes of the put
    kOtherBytes,  // the object is there and holds other bytes
    kMayAppear,   // the object is absent, but a put without an answer may still store it
    kUnread,      // the object could not be read
    kFailed,      // the put ended with an error that is final, or a signal ended it
  };
  State state = State::kStored;
  // Why, unless kStored. kOtherBytes: kCorrupt. kMayAppear, kFailed: the error of the last put. kUnread: the error of
  // the read.
  std::optional<Error> error = {};

  [[nodiscard]] bool stored() const { return state == State::kStored; }
  // For a caller that only needs to know whether the object is stored. Errors: `error`; as kUnavailable for kMayAppear,
  // since other codes say that the object stays absent.
  [[nodiscard]] Result<void> result() const;
};

// A signal ends every request in flight; a request that starts later still gets a short time. So a read that the signal
// ended is made once more.
class LookAfterCancel {
 public:
  // The signal has already ended another operation: no read is repeated.
  void was_cancelled() { after_ = true; }
  template <typename Read>
  auto operator()(const Read& read) {
    auto result = read();
    if (result.ok() || result.error().code != ErrorCode::kCancelled || std::exchange(after_, true)) return result;
    return read();
  }

 private:
  bool after_ = false;
};

struct SettleOptions {
  // Of the body, if the caller has it: compared in place of the bytes, and passed on with a second put.
  std::optional<Digest> sha256 = {};
  // Reads the object back even if the put was answered with success.
  bool read_back_always = false;
  // If given, a put that a signal ended leaves its outcome open, too; it is not made again.
  LookAfterCancel* after_cancel = nullptr;
};

// How a put of `body` under `key` ended whose result is `put`. If the result leaves the outcome open
// (is_open_question), this reads the object, a second time if it seems damaged or different, since bytes can be damaged
// in transit. If the object is absent, this puts it once more.
PutOutcome settle_put(ObjectStore& store, const ObjectKey& key, ByteView body, Result<void> put,
                      const SettleOptions& options = {});

// Puts `body` and settles the put. `sha256` is that of the body, if the caller has it. Succeeds also if the object was
// there before with these bytes. Errors: kCorrupt (it holds other bytes), kUnavailable (it is absent, and may still
// appear), the store's.
Result<void> put_settled(ObjectStore& store, const ObjectKey& key, ByteView body,
                         const std::optional<Digest>& sha256 = {});

}  // namespace drs
