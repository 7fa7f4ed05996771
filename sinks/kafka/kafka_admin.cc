#include "sinks/kafka/kafka_admin.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace drs {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kSliceMs = 100;  // a cancelled call returns after this
constexpr milliseconds kBetweenTries{300};
constexpr milliseconds kLongestTry{30'000};

// The result of one try; null if the deadline has passed or the call was cancelled.
KafkaEvent try_once(KafkaHandle& handle, const KafkaAdminCall& call, Steady::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now());
  const auto timeout = std::clamp(left, milliseconds(1), kLongestTry);
  const KafkaAdminOptions options(rd_kafka_AdminOptions_new(handle.raw(), call.op));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(timeout.count()), nullptr, 0);
  if (call.validate_only) rd_kafka_AdminOptions_set_validate_only(options.get(), 1, nullptr, 0);
  const KafkaQueue queue(rd_kafka_queue_new(handle.raw()));
  call.start(options.get(), queue.get());
  while (!handle.cancelled() && Steady::now() < deadline + milliseconds(kSliceMs)) {
    KafkaEvent event(rd_kafka_queue_poll(queue.get(), kSliceMs));
    if (event) return event;
    handle.serve(milliseconds(0));
  }
  return nullptr;
}

}  // namespace

Result<KafkaEvent> call_kafka_admin(KafkaHandle& handle, const KafkaAdminCall& call) {
  const Steady::time_point start = Steady::now();
  const Steady::time_point deadline = start + handle.unavailable_after();
  while (true) {
    if (handle.cancelled()) return KafkaHandle::cancelled_error();
    KafkaEvent event = try_once(handle, call, deadline);
    if (handle.cancelled()) return KafkaHandle::cancelled_error();
    if (!event) return handle.unreachable(call.act);
    const rd_kafka_resp_err_t error = rd_kafka_event_error(event.get());
    const bool passing = is_passing_kafka_error(error) || (error == RD_KAFKA_RESP_ERR_NO_ERROR && call.item_error &&
                                                           is_passing_kafka_error(call.item_error(event.get())));
    if (!passing || Steady::now() >= deadline) {
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
      handle.serve(milliseconds(0));
      if (error == RD_KAFKA_RESP_ERR__TIMED_OUT || handle.login_fails(start)) return handle.unreachable(call.act);
      return kafka_error(error, rd_kafka_event_error_string(event.get()), call.act);
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

}  // namespace drs
