#include "sinks/kafka/kafka_reader.h"

#include <algorithm>
#include <utility>

#include "sinks/kafka/kafka_ends.h"
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
constexpr milliseconds kFitInterval{5000};

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
  DRS_ASSIGN_OR_RETURN(reader->fetcher_, reader->open_fetcher(options.read_uncommitted,
                                                              kafka_fetch_limits(options.memory_bytes, options.brokers,
                                                                                 kKafkaExpansionAtFirst)));
  DRS_RETURN_IF_ERROR(await_kafka_brokers(reader->handle()));
  return reader;
}

Result<std::unique_ptr<KafkaFetcher>> KafkaReader::open_fetcher(bool read_uncommitted,
                                                                const KafkaFetchLimits& limits) const {
  return KafkaFetcher::open(
      settings_,
      {.read_uncommitted = read_uncommitted, .settle = options_.settle, .limits = limits, .client = options_.client});
}

Result<std::vector<PartitionEnds>> KafkaReader::capture(std::span<const TopicPartition> partitions) {
  // Two isolation levels are two clients. In this order start <= last stable holds though retention goes on, and a last
  // stable offset before the high watermark is one of an open transaction though producers go on: they move both.
  DRS_ASSIGN_OR_RETURN(const auto other, open_fetcher(!options_.read_uncommitted, fetcher_->limits()));
  const auto registration = cancel_.on_cancel([&other] { other->handle().cancel(); });
  KafkaHandle& committed = options_.read_uncommitted ? other->handle() : handle();
  KafkaHandle& uncommitted = options_.read_uncommitted ? handle() : other->handle();
  Result<std::vector<std::int64_t>> starts = ask_kafka_ends(committed, partitions, KafkaEnd::kLogStart);
  if (!starts.ok() && starts.error().code == ErrorCode::kNotFound) {
    // librdkafka does not tell what is absent from what is closed to us.
    for (const TopicPartition& partition : partitions)
      DRS_RETURN_IF_ERROR(check_kafka_partition(other->handle(), capture_act(partition), partition));
    // They exist. The client remembers the answer of a broker that had not heard of them.
    DRS_ASSIGN_OR_RETURN(const KafkaMetadata refreshed,
                         ask_kafka_metadata(committed, capture_act(partitions.front()), KafkaTopicsAsked::kAll));
    starts = ask_kafka_ends(committed, partitions, KafkaEnd::kLogStart);
  }
  if (!starts.ok()) return std::move(starts).error();
  DRS_ASSIGN_OR_RETURN(const auto high, ask_kafka_ends(uncommitted, partitions, KafkaEnd::kLogEnd));
  DRS_ASSIGN_OR_RETURN(const auto stable, ask_kafka_ends(committed, partitions, KafkaEnd::kLogEnd));
  std::vector<PartitionEnds> ends;
  for (std::size_t i = 0; i < partitions.size(); ++i)
    ends.push_back({(*starts)[i], stable[i], std::max(high[i], stable[i])});
  return ends;
}

Result<void> KafkaReader::read(const OffsetRange& range) {
  if (failed_) return *failed_;
  DRS_ASSERT(!readings_.contains(range.number), "two ranges of one number");
  DRS_ASSERT(range.from >= 0, "a range from a negative offset");
  if (range.from >= range.to) {
    empty_.push_back(range.number);
    return {};
  }
  Reading& reading = readings_[range.number];
  reading.range = range;
  reading.next = range.from;
  if (Result<void> started = start_fetch(reading); !started.ok()) {
    readings_.erase(range.number);
    return started;
  }
  if (readings_.size() == 1) last_sign_ = Steady::now();
  return {};
}

Result<void> KafkaReader::start_fetch(Reading& reading) {
  reading.since_batch = batch_;
  return fetcher_->start(reading.range.partition, reading.next, &reading);
}

Result<void> KafkaReader::stop(std::uint32_t number) {
  if (std::erase(empty_, number) > 0) return {};
  const auto found = readings_.find(number);
  DRS_ASSERT(found != readings_.end(), "a range that is not being read");
  const Result<void> stopped = fetcher_->stop(found->second.range.partition);
  if (last_reading_ == &found->second) last_reading_ = nullptr;
  readings_.erase(found);
  return stopped;
}

void KafkaReader::cancel() {
  cancel_.cancel();
  const std::lock_guard lock(fetcher_mutex_);
  handle().cancel();
  fetcher_->wake();
}

Result<void> KafkaReader::poll(RecordVisitor& visitor) {
  if (failed_) return *failed_;
  if (cancel_.cancelled()) return KafkaHandle::cancelled_error();
  handle().serve(milliseconds(0));
  Result<void> done = end_empty(visitor);
  if (done.ok()) done = fit_to_expansion();
  if (done.ok()) done = take_batch(visitor);
  if (done.ok()) done = check_topics(visitor);
  if (done.ok()) done = check_early_ends();
  if (done.ok() && cancel_.cancelled()) return KafkaHandle::cancelled_error();
  if (!done.ok() && done.error().code != ErrorCode::kCancelled) failed_ = done.error();
  return done;
}

// librdkafka bounds what it fetches before it decompresses it. Where batches expand more or less than was allowed for,
// the client is replaced by one that fetches less or more at a time.
Result<void> KafkaReader::fit_to_expansion() {
  const Time now = Steady::now();
  const std::optional<double> expansion = fetcher_->expansion();
  if (!expansion || now - last_fit_ < kFitInterval) return {};
  const KafkaFetchLimits limits = kafka_fetch_limits(options_.memory_bytes, options_.brokers, *expansion);
  const std::uint64_t current_bytes = fetcher_->limits().fetch_bytes;
  if (limits.fetch_bytes * 4 > current_bytes * 3 && limits.fetch_bytes < current_bytes * 2) return {};
  last_fit_ = now;
  return replace_fetcher(limits);
}

Result<void> KafkaReader::renew() {
  if (failed_) return *failed_;
  return replace_fetcher(fetcher_->limits());
}

Result<void> KafkaReader::replace_fetcher(const KafkaFetchLimits& limits) {
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<KafkaFetcher> replaced, open_fetcher(options_.read_uncommitted, limits));
  {
    const std::lock_guard lock(fetcher_mutex_);
    std::swap(fetcher_, replaced);
    if (cancel_.cancelled()) handle().cancel();
  }
  replaced.reset();  // with what it had fetched
  topic_errors_ = 0;
  for (auto& [number, reading] : readings_) DRS_RETURN_IF_ERROR(start_fetch(reading));
  return {};
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
  const std::span<rd_kafka_message_t*> messages = fetcher_->take(batch_messages_, kWait);
  if (messages.empty()) return check_silence();
  last_sign_ = Steady::now();
  unreachable_since_.reset();
  Result<void> done;
  std::size_t bytes = 0;
  for (rd_kafka_message_t* const taken : messages) {
    const KafkaMessage message(taken);
    bytes += message->len;
    if (done.ok()) done = take(*message, visitor);
  }
  // Messages taken from the queue no longer count there: few large ones make a batch.
  const std::size_t average_bytes = std::max<std::size_t>(bytes / messages.size(), 1);
  batch_messages_ = std::clamp<std::size_t>(kBatchBytes / average_bytes, 1, kBatchMessagesMax);
  return done;
}

Result<void> KafkaReader::take(const rd_kafka_message_t& message, RecordVisitor& visitor) {
  if (message.rkt == nullptr) {  // of no topic: the loss of a broker, say, which check_silence judges
    if (kafka_error_code(message.err) == ErrorCode::kUnavailable) return {};
    return kafka_error(message.err, rd_kafka_message_errstr(&message), {"reading from Kafka", {}});
  }
  auto* const reading = static_cast<Reading*>(KafkaFetcher::owner_of(message));
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
  if (&reading != last_reading_) {
    fetcher_->note_leader(message, range.partition);
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
      if (kafka_error_code(message.err) == ErrorCode::kNotFound) {              // check_topics judges
        if (!topic_missing_since_) topic_missing_since_ = Steady::now();
        return {};
      }
      return kafka_error(message.err, rd_kafka_message_errstr(&message), kafka_reading_act(reading.range.partition));
  }
}

// The brokers have no record at the position: finds out at which end of the log they are missing.
Result<void> KafkaReader::relocate(Reading& reading, RecordVisitor& visitor) {
  const std::uint32_t number = reading.range.number;
  const std::span<const TopicPartition> partition(&reading.range.partition, 1);
  DRS_ASSIGN_OR_RETURN(const auto starts, ask_kafka_ends(handle(), partition, KafkaEnd::kLogStart));
  DRS_ASSIGN_OR_RETURN(const auto ends, ask_kafka_ends(handle(), partition, KafkaEnd::kLogEnd));
  const std::int64_t start = starts.front();
  if (ends.front() < reading.next)
    return reading_error(ErrorCode::kTruncated, partition.front(),
                         "the log ends at offset " + std::to_string(ends.front()) + ", before " +
                             std::to_string(reading.next) + ": records that existed are gone");
  DRS_RETURN_IF_ERROR(fetcher_->stop(reading.range.partition));
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

// librdkafka has reported a topic that is missing, or closed to us: finds out which, and whether that lasts. A broker
// that has just started may know less than it will in a moment.
Result<void> KafkaReader::check_topics(RecordVisitor& visitor) {
  const Time now = Steady::now();
  const std::uint64_t errors = handle().topic_errors();
  if (errors != topic_errors_ && !topic_missing_since_) topic_missing_since_ = now;
  topic_errors_ = errors;
  if (!topic_missing_since_ || now - last_topic_check_ < kProbeInterval) return {};
  last_topic_check_ = now;
  const bool lasting = now - *topic_missing_since_ >= options_.settle;
  std::vector<std::uint32_t> missing;
  for (const auto& [number, reading] : readings_) {
    const Result<void> asked = fetcher_->check_known(reading.range.partition);
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
    DRS_ASSIGN_OR_RETURN(const auto ends, ask_kafka_ends(handle(), {&partition, 1}, KafkaEnd::kLogEnd));
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
  const rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle().raw(), list.get(), kProbeWithinMs);
  const bool all_there = std::all_of(list->elems, list->elems + list->cnt, [](const rd_kafka_topic_partition_t& one) {
    return one.err == RD_KAFKA_RESP_ERR_NO_ERROR && one.offset >= 0;
  });
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && all_there) {
    unreachable_since_.reset();
    return {};
  }
  if (!unreachable_since_) unreachable_since_ = now;
  const bool missing = kafka_error_code(error) == ErrorCode::kNotFound ||
                       std::any_of(list->elems, list->elems + list->cnt, [](const rd_kafka_topic_partition_t& one) {
                         return kafka_error_code(one.err) == ErrorCode::kNotFound;
                       });
  if (missing && !topic_missing_since_) topic_missing_since_ = now;  // or closed to us: check_topics finds out
  handle().serve(milliseconds(0));
  const KafkaAct act = kafka_reading_act(readings_.begin()->second.range.partition);
  const auto unreachable_for = Steady::now() - *unreachable_since_;
  const bool closed = handle().login_fails(*unreachable_since_) && unreachable_for > options_.settle;
  if (closed || unreachable_for > handle().unavailable_after()) return handle().unreachable(act);
  return {};
}

}  // namespace drs
