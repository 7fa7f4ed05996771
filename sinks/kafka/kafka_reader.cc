#include "sinks/kafka/kafka_reader.h"

#include <algorithm>
#include <utility>

#include "sinks/kafka/kafka_ends.h"
#include "sinks/kafka/kafka_fetch_limits.h"
#include "sinks/kafka/kafka_metadata.h"

namespace drs {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kBatchMessagesMax = 1000;
constexpr std::size_t kBatchBytes = kMiB;  // taken from the queue at a time, of average messages
constexpr milliseconds kWait{500};         // for the first message of a batch
constexpr milliseconds kSilence{2000};     // after which the brokers are asked whether they are there
constexpr milliseconds kProbeInterval{1000};
constexpr int kProbeWithinMs = 1000;
constexpr int kRestartsMax = 20;

// A setting that a librdkafka knows which wakes its threads itself.
constexpr const char* kQueueBackoff = "fetch.queue.backoff.ms";
constexpr const char* kQueueBackoffMs = "5";

KafkaAct reading_act(const TopicPartition& partition) {
  return {"reading " + kafka_partition_text(partition), "Read on topic '" + kafka_text(partition.topic) + "'"};
}

KafkaAct capture_act(const TopicPartition& partition) {
  return {"asking for the ends of " + kafka_partition_text(partition),
          "Describe on topic '" + kafka_text(partition.topic) + "'"};
}

Error reading_error(ErrorCode code, const TopicPartition& partition, const std::string& text) {
  return Error(code, "reading " + kafka_partition_text(partition) + ": " + text);
}

TimestampType type_of(rd_kafka_timestamp_type_t type) {
  if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) return TimestampType::kCreateTime;
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) return TimestampType::kLogAppendTime;
  return TimestampType::kNone;
}

std::optional<ByteView> bytes_of(const void* bytes, std::size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return ByteView(static_cast<const Byte*>(bytes), size);
}

}  // namespace

Result<std::unique_ptr<KafkaReader>> KafkaReader::connect(const KafkaSettings& settings, const Options& options) {
  std::unique_ptr<KafkaReader> reader(new KafkaReader(settings, options));
  DRS_ASSIGN_OR_RETURN(reader->handle_, reader->open_handle(options.read_uncommitted));
  DRS_RETURN_IF_ERROR(await_kafka_brokers(*reader->handle_));
  reader->queue_.reset(rd_kafka_queue_new(reader->handle_->raw()));
  reader->batch_messages_ = kBatchMessagesMax;
  if (!kafka_client_knows(kQueueBackoff, kQueueBackoffMs)) {
    DRS_ASSIGN_OR_RETURN(reader->waker_, KafkaWaker::start(*reader->handle_));
  }
  return reader;
}

KafkaReader::~KafkaReader() {
  if (handle_) handle_->cancel();
  waker_.reset();
  for (const auto& [number, reading] : readings_) static_cast<void>(stop_fetch(reading));
}

Result<std::unique_ptr<KafkaHandle>> KafkaReader::open_handle(bool read_uncommitted) const {
  KafkaHandle::Options handle;
  handle.own = fetch_settings(kafka_fetch_limits(options_.memory_bytes, options_.brokers));
  handle.own.push_back({"isolation.level", read_uncommitted ? "read_uncommitted" : "read_committed"});
  handle.own.push_back({"auto.offset.reset", "error"});
  handle.own.push_back({"enable.auto.commit", "false"});
  handle.own.push_back({"enable.auto.offset.store", "false"});
  handle.own.push_back({"enable.partition.eof", "true"});
  handle.own.push_back({"check.crcs", "true"});
  // The end behind a marker or a hole shows only when a fetch returns without records.
  handle.own.push_back({"fetch.wait.max.ms", "50"});
  handle.own.push_back({"topic.metadata.propagation.max.ms", std::to_string(options_.settle.count())});
  if (kafka_client_knows(kQueueBackoff, kQueueBackoffMs)) handle.own.push_back({kQueueBackoff, kQueueBackoffMs});
  return KafkaHandle::open(settings_, options_.client, handle);
}

Result<std::vector<PartitionEnds>> KafkaReader::capture(std::span<const TopicPartition> partitions) {
  // Two isolation levels are two clients. In this order start <= last stable <= high watermark holds, though retention
  // and producers go on.
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<KafkaHandle> other, open_handle(!options_.read_uncommitted));
  const auto registration = handle_->cancel_token().on_cancel([&other] { other->cancel(); });
  KafkaHandle& committed = options_.read_uncommitted ? *other : *handle_;
  KafkaHandle& uncommitted = options_.read_uncommitted ? *handle_ : *other;
  Result<std::vector<std::int64_t>> starts = ask_kafka_ends(committed, partitions, KafkaEnd::kLogStart);
  if (!starts.ok()) {
    // librdkafka does not tell what is absent from what is closed to us.
    if (starts.error().code == ErrorCode::kNotFound)
      for (const TopicPartition& partition : partitions)
        DRS_RETURN_IF_ERROR(check_kafka_partition(*other, capture_act(partition), partition));
    return std::move(starts).error();
  }
  DRS_ASSIGN_OR_RETURN(const auto stable, ask_kafka_ends(committed, partitions, KafkaEnd::kLogEnd));
  DRS_ASSIGN_OR_RETURN(const auto high, ask_kafka_ends(uncommitted, partitions, KafkaEnd::kLogEnd));
  std::vector<PartitionEnds> ends;
  for (std::size_t i = 0; i < partitions.size(); ++i) ends.push_back({(*starts)[i], stable[i], high[i]});
  return ends;
}

Result<KafkaReader::Topic*> KafkaReader::topic_of(const std::string& name) {
  Topic& topic = topics_[name];
  if (topic.handle) return &topic;
  topic.name = name;
  // A new one would lack what was set for the client: auto.offset.reset.
  rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(handle_->raw());
  rd_kafka_topic_conf_set_opaque(conf, &topic);
  topic.handle.reset(rd_kafka_topic_new(handle_->raw(), name.c_str(), conf));  // takes `conf`
  if (topic.handle) return &topic;
  const rd_kafka_resp_err_t error = rd_kafka_last_error();
  return kafka_error(error, {}, {"reading topic '" + kafka_text(name) + "'", {}});
}

Result<void> KafkaReader::read(const OffsetRange& range) {
  if (failed_) return *failed_;
  DRS_ASSERT(!readings_.contains(range.number), "two ranges of one number");
  DRS_ASSERT(range.from >= 0, "a range from a negative offset");
  if (range.from >= range.to) {
    empty_.push_back(range.number);
    return {};
  }
  DRS_ASSIGN_OR_RETURN(Topic* const topic, topic_of(range.partition.topic));
  if (topic->readings.size() <= range.partition.partition) topic->readings.resize(range.partition.partition + 1);
  Reading*& place = topic->readings[range.partition.partition];
  DRS_ASSERT(place == nullptr, "two ranges of one partition at a time");
  Reading& reading = readings_[range.number];
  reading.range = range;
  reading.next = range.from;
  if (Result<void> started = start_fetch(reading); !started.ok()) {
    readings_.erase(range.number);
    return started;
  }
  place = &reading;
  if (readings_.size() == 1) last_sign_ = Steady::now();
  return {};
}

Result<void> KafkaReader::start_fetch(Reading& reading) {
  const TopicPartition& partition = reading.range.partition;
  reading.since_batch = batch_;
  if (rd_kafka_consume_start_queue(topics_.at(partition.topic).handle.get(),
                                   static_cast<std::int32_t>(partition.partition), reading.next, queue_.get()) == 0)
    return {};
  return kafka_error(rd_kafka_last_error(), {}, reading_act(partition));
}

// Returns once librdkafka has dropped what it had fetched.
Result<void> KafkaReader::stop_fetch(const Reading& reading) {
  const TopicPartition& partition = reading.range.partition;
  if (rd_kafka_consume_stop(topics_.at(partition.topic).handle.get(), static_cast<std::int32_t>(partition.partition)) ==
      0)
    return {};
  return kafka_error(rd_kafka_last_error(), {}, reading_act(partition));
}

Result<void> KafkaReader::stop(std::uint32_t number) {
  if (std::erase(empty_, number) > 0) return {};
  const auto found = readings_.find(number);
  DRS_ASSERT(found != readings_.end(), "a range that is not being read");
  const Reading& reading = found->second;
  const Result<void> stopped = stop_fetch(reading);
  topics_.at(reading.range.partition.topic).readings[reading.range.partition.partition] = nullptr;
  if (last_reading_ == &reading) last_reading_ = nullptr;
  readings_.erase(found);
  return stopped;
}

void KafkaReader::cancel() {
  handle_->cancel();
  rd_kafka_queue_yield(queue_.get());
}

Result<void> KafkaReader::poll(RecordVisitor& visitor) {
  if (failed_) return *failed_;
  if (handle_->cancelled()) return KafkaHandle::cancelled_error();
  handle_->serve(milliseconds(0));
  Result<void> done = end_empty(visitor);
  if (done.ok()) done = take_batch(visitor);
  if (done.ok()) done = check_topics(visitor);
  if (done.ok()) done = check_early_ends();
  if (done.ok() && handle_->cancelled()) return KafkaHandle::cancelled_error();
  if (!done.ok() && done.error().code != ErrorCode::kCancelled) failed_ = done.error();
  return done;
}

Result<void> KafkaReader::end_empty(RecordVisitor& visitor) {
  while (!empty_.empty()) {
    const std::uint32_t number = empty_.front();
    empty_.erase(empty_.begin());
    DRS_RETURN_IF_ERROR(visitor.ended(number));
  }
  return {};
}

Result<void> KafkaReader::take_batch(RecordVisitor& visitor) {
  if (readings_.empty()) return {};
  ++batch_;
  messages_.resize(batch_messages_);
  ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, messages_.data(), messages_.size());
  if (count <= 0) {
    messages_[0] = rd_kafka_consume_queue(queue_.get(), static_cast<int>(kWait.count()));
    if (messages_[0] == nullptr) return check_silence();
    count = 1;
  }
  last_sign_ = Steady::now();
  if (waker_) waker_->note_taken();
  Result<void> done;
  std::size_t bytes = 0;
  for (ssize_t i = 0; i < count; ++i) {
    const KafkaMessage message(messages_[static_cast<std::size_t>(i)]);
    bytes += message->len;
    if (done.ok()) done = take(*message, visitor);
  }
  // Messages taken from the queue no longer count there: few large ones make a batch.
  const std::size_t average_bytes = std::max<std::size_t>(bytes / static_cast<std::size_t>(count), 1);
  batch_messages_ = std::clamp<std::size_t>(kBatchBytes / average_bytes, 1, kBatchMessagesMax);
  return done;
}

Result<void> KafkaReader::take(const rd_kafka_message_t& message, RecordVisitor& visitor) {
  if (message.rkt == nullptr) {  // of no topic: the loss of a broker, say, which check_silence judges
    if (kafka_error_code(message.err) == ErrorCode::kUnavailable) return {};
    return kafka_error(message.err, rd_kafka_message_errstr(&message), {"reading from Kafka", {}});
  }
  auto* const found = static_cast<Topic*>(rd_kafka_topic_opaque(message.rkt));
  DRS_ASSERT(found != nullptr, "a message of a topic that was used before it was read");
  Topic& topic = *found;
  const auto partition = static_cast<std::size_t>(message.partition);
  Reading* const reading = partition < topic.readings.size() ? topic.readings[partition] : nullptr;
  if (reading == nullptr || reading->since_batch == batch_) return {};  // of a range that was stopped since
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(*reading, message, visitor);
  return take_record(*reading, message, visitor);
}

Result<void> KafkaReader::take_record(Reading& reading, const rd_kafka_message_t& message, RecordVisitor& visitor) {
  const OffsetRange& range = reading.range;
  const std::uint32_t number = range.number;
  if (message.offset < reading.next)
    return reading_error(ErrorCode::kCorrupt, range.partition,
                         "offset " + std::to_string(message.offset) + " came where " + std::to_string(reading.next) +
                             " or a later one was due");
  if (waker_ && &reading != last_reading_) {
    waker_->note_leader(rd_kafka_message_broker_id(&message), range.partition);
    last_reading_ = &reading;
  }
  if (message.offset >= range.to) return end(number, visitor);
  Record record;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t timestamp_ms = rd_kafka_message_timestamp(&message, &type);
  record.timestamp_type = type_of(type);
  record.timestamp_ms = record.timestamp_type == TimestampType::kNone ? -1 : timestamp_ms;
  record.key = bytes_of(message.key, message.key_len);
  record.value = bytes_of(message.payload, message.len);
  if (Result<void> read = read_headers(message); !read.ok())
    return reading_error(read.error().code, range.partition,
                         "offset " + std::to_string(message.offset) + ": " + read.error().message);
  record.headers = headers_;
  reading.next = message.offset + 1;
  reading.ended_early.reset();
  reading.restarts = 0;
  const bool last = reading.next >= range.to;
  DRS_RETURN_IF_ERROR(visitor.record(number, record));
  if (!last || !readings_.contains(number)) return {};  // the visitor may have stopped the range
  return end(number, visitor);
}

Result<void> KafkaReader::read_headers(const rd_kafka_message_t& message) {
  headers_.clear();
  rd_kafka_headers_t* headers = nullptr;  // owned by the message
  const rd_kafka_resp_err_t error = rd_kafka_message_headers(&message, &headers);
  if (error == RD_KAFKA_RESP_ERR__NOENT) return {};
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error(ErrorCode::kCorrupt, std::string("its headers cannot be parsed: ") + rd_kafka_err2str(error));
  const std::size_t count = rd_kafka_header_cnt(headers);
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_all(headers, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error(ErrorCode::kInternal, "librdkafka miscounts its headers");
    // A look-up compares the whole name, so that one cut at a NUL byte is not found.
    const void* same_value = nullptr;
    std::size_t same_size = 0;
    if (rd_kafka_header_get_last(headers, name, &same_value, &same_size) != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error(ErrorCode::kSource, "the name of a header contains a NUL byte: librdkafka cannot return it");
    headers_.push_back({as_bytes(name), bytes_of(value, size)});
  }
  return {};
}

Result<void> KafkaReader::take_error(Reading& reading, const rd_kafka_message_t& message, RecordVisitor& visitor) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      // The offset is that of the next record to come: behind markers, holes and aborted records.
      if (message.offset >= reading.range.to) return end(reading.range.number, visitor);
      if (!reading.ended_early) reading.ended_early = Steady::now();
      return {};
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return relocate(reading, visitor);
    default:
      if (kafka_error_code(message.err) == ErrorCode::kUnavailable) return {};  // librdkafka goes on by itself
      return kafka_error(message.err, rd_kafka_message_errstr(&message), reading_act(reading.range.partition));
  }
}

// The brokers have no record at the position: finds out at which end of the log they are missing.
Result<void> KafkaReader::relocate(Reading& reading, RecordVisitor& visitor) {
  const std::uint32_t number = reading.range.number;
  const std::span<const TopicPartition> partition(&reading.range.partition, 1);
  DRS_ASSIGN_OR_RETURN(const auto starts, ask_kafka_ends(*handle_, partition, KafkaEnd::kLogStart));
  DRS_ASSIGN_OR_RETURN(const auto ends, ask_kafka_ends(*handle_, partition, KafkaEnd::kLogEnd));
  const std::int64_t start = starts.front();
  if (ends.front() < reading.next)
    return reading_error(ErrorCode::kTruncated, partition.front(),
                         "the log ends at offset " + std::to_string(ends.front()) + ", before " +
                             std::to_string(reading.next) + ": records that existed are gone");
  DRS_RETURN_IF_ERROR(stop_fetch(reading));
  if (start > reading.next) {
    reading.next = start;
    DRS_RETURN_IF_ERROR(start_fetch(reading));  // first: the visitor may stop the range
    DRS_RETURN_IF_ERROR(visitor.overtaken(number, start));
    const auto found = readings_.find(number);
    return found != readings_.end() && start >= found->second.range.to ? end(number, visitor) : Result<void>();
  }
  if (++reading.restarts > kRestartsMax)
    return reading_error(ErrorCode::kUnavailable, partition.front(),
                         "the broker refuses offset " + std::to_string(reading.next) + ", which it says it has");
  return start_fetch(reading);
}

Result<void> KafkaReader::end(std::uint32_t number, RecordVisitor& visitor) {
  DRS_RETURN_IF_ERROR(stop(number));
  return visitor.ended(number);
}

// Whether the brokers know a partition that is being read.
Result<void> KafkaReader::ask_for_topic(const TopicPartition& partition) {
  rd_kafka_topic_t* const topic = topics_.at(partition.topic).handle.get();
  const KafkaAct act = reading_act(partition);
  DRS_ASSIGN_OR_RETURN(const std::uint32_t partitions, ask_kafka_partitions(*handle_, act, topic));
  if (partition.partition >= partitions) return kafka_error(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, {}, act);
  return {};
}

// librdkafka has reported a topic that is missing, or closed to us: finds out which, and whether that lasts. A broker
// that has just started may know less than it will in a moment.
Result<void> KafkaReader::check_topics(RecordVisitor& visitor) {
  const Time now = Steady::now();
  const std::uint64_t errors = handle_->topic_errors();
  if (errors != topic_errors_ && !topic_missing_since_) topic_missing_since_ = now;
  topic_errors_ = errors;
  if (!topic_missing_since_ || now - last_topic_check_ < kProbeInterval) return {};
  last_topic_check_ = now;
  const bool lasting = now - *topic_missing_since_ >= options_.settle;
  std::vector<std::uint32_t> missing;
  for (const auto& [number, reading] : readings_) {
    const Result<void> asked = ask_for_topic(reading.range.partition);
    if (asked.ok()) continue;
    const bool unknown = asked.error().code == ErrorCode::kNotFound;
    if (!unknown && (lasting || asked.error().code == ErrorCode::kUnavailable)) return asked;
    missing.push_back(number);
  }
  if (missing.empty()) topic_missing_since_.reset();
  if (!lasting) return {};
  for (const std::uint32_t number : missing) {
    if (!readings_.contains(number)) continue;  // the visitor has stopped it
    DRS_RETURN_IF_ERROR(stop(number));
    DRS_RETURN_IF_ERROR(visitor.vanished(number));
  }
  topic_missing_since_.reset();
  return {};
}

Result<void> KafkaReader::check_early_ends() {
  const Time now = Steady::now();
  for (auto& [number, reading] : readings_) {
    if (!reading.ended_early || now - *reading.ended_early < options_.settle) continue;
    const TopicPartition& partition = reading.range.partition;
    DRS_ASSIGN_OR_RETURN(const auto ends, ask_kafka_ends(*handle_, {&partition, 1}, KafkaEnd::kLogEnd));
    if (ends.front() < reading.range.to)
      return reading_error(ErrorCode::kTruncated, partition,
                           "the log ends at offset " + std::to_string(ends.front()) + ", before " +
                               std::to_string(reading.range.to) + ": records that existed are gone");
    reading.ended_early.reset();
  }
  return {};
}

// Nothing came: asks the leaders of what is being read whether they are there.
Result<void> KafkaReader::check_silence() {
  const Time now = Steady::now();
  if (now - last_sign_ < kSilence || now - last_probe_ < kProbeInterval) return {};
  last_probe_ = now;
  KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(readings_.size())));
  for (const auto& [number, reading] : readings_)
    rd_kafka_topic_partition_list_add(list.get(), reading.range.partition.topic.c_str(),
                                      static_cast<std::int32_t>(reading.range.partition.partition))
        ->offset = -1;
  const rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle_->raw(), list.get(), kProbeWithinMs);
  const bool all_there = std::all_of(list->elems, list->elems + list->cnt, [](const rd_kafka_topic_partition_t& one) {
    return one.err == RD_KAFKA_RESP_ERR_NO_ERROR && one.offset >= 0;
  });
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && all_there) {
    last_sign_ = Steady::now();
    return {};
  }
  const bool missing = kafka_error_code(error) == ErrorCode::kNotFound ||
                       std::any_of(list->elems, list->elems + list->cnt, [](const rd_kafka_topic_partition_t& one) {
                         return kafka_error_code(one.err) == ErrorCode::kNotFound;
                       });
  if (missing && !topic_missing_since_) topic_missing_since_ = now;  // or closed to us: check_topics finds out
  handle_->serve(milliseconds(0));
  const KafkaAct act = reading_act(readings_.begin()->second.range.partition);
  if (handle_->login_fails(last_sign_)) return handle_->unreachable(act);
  if (Steady::now() - last_sign_ > options_.client.unavailable_after) return handle_->unreachable(act);
  return {};
}

}  // namespace drs
