// KafkaWaker: keeps librdkafka before 2.2 fetching for a consumer that is slower than the fetch. Internal to this
// folder.
//
// A thread of librdkafka that finds the queue full sleeps for up to a second, unless something wakes it: a reader then
// gets one queue a second, 26 MB/s of records of 1 KB instead of 190. Any request to a broker wakes the thread of that
// broker. The cheapest that works with every version, and takes no right beyond reading, asks a leader for one offset.
// Later versions need no waker: they have the setting fetch.queue.backoff.ms.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "io/base/topic.h"
#include "sinks/kafka/kafka_handle.h"

namespace drs {

class KafkaWaker {
 public:
  // `handle` outlives the waker. Errors: kBusy.
  static Result<std::unique_ptr<KafkaWaker>> start(KafkaHandle& handle);
  ~KafkaWaker();
  KafkaWaker(const KafkaWaker&) = delete;
  KafkaWaker& operator=(const KafkaWaker&) = delete;

  // Records were taken from the queue; wakes follow only while this goes on. One thread at a time.
  void note_taken() { taken_.fetch_add(1, std::memory_order_relaxed); }
  // `broker` has sent records of this partition.
  void note_leader(std::int32_t broker, const TopicPartition& partition);

 private:
  explicit KafkaWaker(KafkaHandle& handle) : handle_(handle) {}
  void run();

  KafkaHandle& handle_;
  std::atomic<std::uint64_t> taken_ = 0;
  std::mutex mutex_;  // guards what follows
  std::condition_variable stopped_;
  bool stop_ = false;
  std::map<std::int32_t, TopicPartition> leaders_;  // one partition of each broker
  std::thread thread_;
};

}  // namespace drs
