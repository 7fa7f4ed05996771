#include "sinks/kafka/kafka_waker.h"

#include <chrono>
#include <utility>

#include "io/helper_thread.h"
#include "sinks/kafka/kafka_owners.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kInterval{20};
constexpr int kAnswerWithinMs = 1000;  // how long a stop may wait
constexpr std::int64_t kLatest = -1;

}  // namespace

Result<std::unique_ptr<KafkaWaker>> KafkaWaker::start(KafkaHandle& handle) {
  std::unique_ptr<KafkaWaker> waker(new KafkaWaker(handle));
  DRS_ASSIGN_OR_RETURN(waker->thread_, start_helper_thread([self = waker.get()] { self->run(); }, must_not_throw));
  return waker;
}

KafkaWaker::~KafkaWaker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void KafkaWaker::note_leader(std::int32_t broker, const TopicPartition& partition) {
  const std::lock_guard lock(mutex_);
  leaders_.insert_or_assign(broker, partition);
}

void KafkaWaker::run() {
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kInterval, [this] { return stop_; })) {
    const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
    if (taken == seen || leaders_.empty()) continue;
    seen = taken;
    KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(leaders_.size())));
    for (const auto& [broker, partition] : leaders_)
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(),
                                        static_cast<std::int32_t>(partition.partition))
          ->offset = kLatest;
    lock.unlock();
    // An error is of no interest: the request was sent, or the reader will find out that no broker answers.
    static_cast<void>(rd_kafka_offsets_for_times(handle_.raw(), list.get(), kAnswerWithinMs));
    lock.lock();
  }
}

}  // namespace drs
