#include "sinks/kafka/kafka_fetcher.h"

#include <utility>

#include "sinks/kafka/kafka_ends.h"
#include "sinks/kafka/kafka_metadata.h"

namespace drs {
namespace {

// A setting that a librdkafka knows which wakes its threads itself.
constexpr const char* kQueueBackoff = "fetch.queue.backoff.ms";
constexpr const char* kQueueBackoffMs = "5";

}  // namespace

KafkaAct kafka_reading_act(const TopicPartition& partition) {
  return {"reading " + kafka_partition_text(partition), "Read on topic '" + kafka_text(partition.topic) + "'"};
}

Result<std::unique_ptr<KafkaFetcher>> KafkaFetcher::open(const KafkaSettings& settings, const Options& options) {
  std::unique_ptr<KafkaFetcher> fetcher(new KafkaFetcher(options.limits));
  const bool wakes_itself = kafka_client_knows(kQueueBackoff, kQueueBackoffMs);
  KafkaHandle::Options handle;
  handle.own = fetch_settings(options.limits);
  handle.own.push_back({"isolation.level", options.read_uncommitted ? "read_uncommitted" : "read_committed"});
  handle.own.push_back({"auto.offset.reset", "error"});
  handle.own.push_back({"enable.auto.commit", "false"});
  handle.own.push_back({"enable.auto.offset.store", "false"});
  handle.own.push_back({"enable.partition.eof", "true"});
  handle.own.push_back({"check.crcs", "true"});
  // The end behind a marker or a hole shows only when a fetch returns without records.
  handle.own.push_back({"fetch.wait.max.ms", "50"});
  handle.own.push_back({"topic.metadata.propagation.max.ms", std::to_string(options.settle.count())});
  handle.own.push_back({"statistics.interval.ms", "2000"});
  if (wakes_itself) handle.own.push_back({kQueueBackoff, kQueueBackoffMs});
  handle.statistics = [self = fetcher.get()](std::string_view json) { self->expansion_.note(json); };
  DRS_ASSIGN_OR_RETURN(fetcher->handle_, KafkaHandle::open(settings, options.client, handle));
  fetcher->queue_.reset(rd_kafka_queue_new(fetcher->handle_->raw()));
  if (!wakes_itself) {
    DRS_ASSIGN_OR_RETURN(fetcher->waker_, KafkaWaker::start(*fetcher->handle_));
  }
  return fetcher;
}

KafkaFetcher::~KafkaFetcher() {
  if (handle_) handle_->cancel();
  waker_.reset();
  for (auto& [name, topic] : topics_)
    for (std::size_t partition = 0; partition < topic.owners.size(); ++partition)
      if (topic.owners[partition] != nullptr)
        rd_kafka_consume_stop(topic.handle.get(), static_cast<std::int32_t>(partition));
}

Result<KafkaFetcher::Topic*> KafkaFetcher::topic_of(const std::string& name) {
  Topic& topic = topics_[name];
  if (topic.handle) return &topic;
  // A new one would lack what was set for the client: auto.offset.reset.
  rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(handle_->raw());
  rd_kafka_topic_conf_set_opaque(conf, &topic);
  topic.handle.reset(rd_kafka_topic_new(handle_->raw(), name.c_str(), conf));  // takes `conf`
  if (topic.handle) return &topic;
  return kafka_error(rd_kafka_last_error(), {}, {"reading topic '" + kafka_text(name) + "'", {}});
}

Result<void> KafkaFetcher::start(const TopicPartition& partition, std::int64_t offset, void* owner) {
  DRS_ASSIGN_OR_RETURN(Topic* const topic, topic_of(partition.topic));
  if (topic->owners.size() <= partition.partition) topic->owners.resize(partition.partition + 1);
  void*& place = topic->owners[partition.partition];
  DRS_ASSERT(place == nullptr, "two ranges of one partition at a time");
  if (rd_kafka_consume_start_queue(topic->handle.get(), static_cast<std::int32_t>(partition.partition), offset,
                                   queue_.get()) != 0)
    return kafka_error(rd_kafka_last_error(), {}, kafka_reading_act(partition));
  place = owner;
  return {};
}

Result<void> KafkaFetcher::stop(const TopicPartition& partition) {
  Topic& topic = topics_.at(partition.topic);
  topic.owners[partition.partition] = nullptr;
  if (rd_kafka_consume_stop(topic.handle.get(), static_cast<std::int32_t>(partition.partition)) == 0) return {};
  const rd_kafka_resp_err_t error = rd_kafka_last_error();
  if (kafka_error_code(error) == ErrorCode::kNotFound) return {};  // deleted: nothing is fetched any more
  return kafka_error(error, {}, kafka_reading_act(partition));
}

std::span<rd_kafka_message_t*> KafkaFetcher::take(std::size_t count, std::chrono::milliseconds wait) {
  messages_.resize(count);
  // With a time limit, the call would wait until it has `count` messages.
  const ssize_t taken = rd_kafka_consume_batch_queue(queue_.get(), 0, messages_.data(), count);
  std::size_t size = taken > 0 ? static_cast<std::size_t>(taken) : 0;
  if (size == 0) {
    messages_[0] = rd_kafka_consume_queue(queue_.get(), static_cast<int>(wait.count()));
    size = messages_[0] == nullptr ? 0 : 1;
  }
  if (waker_ && size > 0) waker_->note_taken();
  return std::span(messages_).first(size);
}

void* KafkaFetcher::owner_of(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return nullptr;
  const auto* const topic = static_cast<const Topic*>(rd_kafka_topic_opaque(message.rkt));
  DRS_ASSERT(topic != nullptr, "a message of a topic that was used before it was read");
  const auto partition = static_cast<std::size_t>(message.partition);
  return partition < topic->owners.size() ? topic->owners[partition] : nullptr;
}

void KafkaFetcher::note_leader(const rd_kafka_message_t& message, const TopicPartition& partition) {
  if (waker_) waker_->note_leader(rd_kafka_message_broker_id(&message), partition);
}

Result<void> KafkaFetcher::check_known(const TopicPartition& partition) {
  const KafkaAct act = kafka_reading_act(partition);
  DRS_ASSIGN_OR_RETURN(const std::uint32_t partitions,
                       ask_kafka_partitions(*handle_, act, topics_.at(partition.topic).handle.get()));
  if (partition.partition < partitions) return {};
  return kafka_error(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, {}, act);
}

}  // namespace drs
