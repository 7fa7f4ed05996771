#include "sinks/kafka/kafka_writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sinks/kafka/kafka_ends.h"
#include "sinks/kafka/kafka_metadata.h"

namespace drs {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint64_t kBytesBesideRecord = 400;  // what librdkafka keeps beside a record that waits
constexpr std::uint32_t kServeEvery = 256;         // records
constexpr milliseconds kSlice{100};                // a cancelled call returns after this

constexpr std::string_view kCompressions[] = {"none", "gzip", "snappy", "lz4", "zstd"};

// Empty bytes that are not null.
constexpr char kNothing[] = "";

const void* pointer_to(const std::optional<ByteView>& bytes) {
  if (!bytes) return nullptr;
  return bytes->empty() ? static_cast<const void*>(kNothing) : bytes->data();
}

std::size_t size_of(const std::optional<ByteView>& bytes) {
  return bytes ? bytes->size() : 0;
}

// Half: librdkafka copies what waits into requests.
std::uint64_t queue_bytes(std::uint64_t memory_bytes) {
  return std::max<std::uint64_t>(memory_bytes / 2, kMiB);
}

KafkaHeaders headers_of(const Record& record) {
  if (record.headers.empty()) return nullptr;
  KafkaHeaders headers(rd_kafka_headers_new(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    const rd_kafka_resp_err_t added = rd_kafka_header_add(
        headers.get(), static_cast<const char*>(pointer_to(header.name)), static_cast<ssize_t>(header.name.size()),
        pointer_to(header.value), static_cast<ssize_t>(size_of(header.value)));
    DRS_ASSERT(added == RD_KAFKA_RESP_ERR_NO_ERROR, "librdkafka refuses a header");
  }
  return headers;
}

rd_kafka_vu_t memory_argument(rd_kafka_vtype_t type, const std::optional<ByteView>& bytes) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = const_cast<void*>(pointer_to(bytes));
  argument.u.mem.size = size_of(bytes);
  return argument;
}

KafkaAct writing_act(const TopicPartition& partition) {
  return {"writing " + kafka_partition_text(partition), "Write on topic '" + kafka_text(partition.topic) + "'"};
}

// What to do about a refusal that the configuration of the topic causes.
std::string_view advice_for(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: return "; raise max.message.bytes of the topic";
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return "; raise message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic "
             "(message.timestamp.difference.max.ms before Kafka 3.6)";
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return "; a topic with cleanup.policy=compact takes no record without a key, and see "
             "message.timestamp.before.max.ms of the topic";
    default: return "";
  }
}

}  // namespace

Result<std::unique_ptr<KafkaWriter>> KafkaWriter::connect(const KafkaSettings& settings, const Options& options) {
  std::unique_ptr<KafkaWriter> writer(new KafkaWriter(options));
  const std::uint64_t half_bytes = queue_bytes(options.memory_bytes);
  KafkaHandle::Options handle;
  handle.type = RD_KAFKA_PRODUCER;
  handle.own = {{"enable.idempotence", "true"},
                {"acks", "all"},
                {"message.timeout.ms", "0"},
                {"linger.ms", "50"},
                {"batch.size", std::to_string(options.batch_bytes)},
                {"batch.num.messages", "100000"},
                {"message.max.bytes", "1000000000"},
                {"queue.buffering.max.kbytes", std::to_string(half_bytes / kKiB)},
                {"queue.buffering.max.messages", std::to_string(half_bytes / kBytesBesideRecord)}};
  handle.delivered = [](const rd_kafka_message_t& message, void* self) {
    static_cast<KafkaWriter*>(self)->delivered(message);
  };
  handle.delivered_to = writer.get();
  DRS_ASSIGN_OR_RETURN(writer->handle_, KafkaHandle::open(settings, options.client, handle));
  DRS_RETURN_IF_ERROR(await_kafka_brokers(*writer->handle_));
  if (options.bytes_per_second > 0) writer->rate_.emplace(options.bytes_per_second);
  return writer;
}

KafkaWriter::~KafkaWriter() {
  if (!handle_) return;
  rd_kafka_purge(handle_->raw(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  handle_->serve(milliseconds(0));
}

Result<std::uint32_t> KafkaWriter::open(const TopicPartition& partition, const std::string& compression) {
  DRS_ASSIGN_OR_RETURN(const Topic* const topic, topic_of(partition.topic, compression));
  if (partition.partition >= topic->partitions)
    return Error(ErrorCode::kNotFound, kafka_partition_text(partition) + " does not exist: the topic has " +
                                           std::to_string(topic->partitions) + " partitions");
  Partition& opened = partitions_.emplace_back();
  opened.name = partition;
  opened.topic = topic->handle.get();
  return static_cast<std::uint32_t>(partitions_.size() - 1);
}

Result<KafkaWriter::Topic*> KafkaWriter::topic_of(const std::string& name, const std::string& compression) {
  const std::string shown = "topic '" + kafka_text(name) + "'";
  if (std::find(std::begin(kCompressions), std::end(kCompressions), compression) == std::end(kCompressions))
    return Error(ErrorCode::kUsage, shown + ": unknown compression '" + kafka_text(compression) + "'");
  const auto found = topics_.find(name);
  if (found != topics_.end() && found->second.compression != compression)
    return Error(ErrorCode::kUsage, shown + ": two kinds of compression at a time");
  if (found != topics_.end()) return &found->second;
  // A new one would lack what was set for the client: acks, message.timeout.ms.
  rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(handle_->raw());
  std::array<char, 256> text{};
  if (rd_kafka_topic_conf_set(conf, "compression.type", compression.c_str(), text.data(), text.size()) !=
      RD_KAFKA_CONF_OK) {
    rd_kafka_topic_conf_destroy(conf);
    return Error(ErrorCode::kUsage, shown + ": " + kafka_text(text.data()));
  }
  const KafkaAct act{"opening " + shown, "Describe on " + shown};
  Topic topic;
  topic.compression = compression;
  topic.handle.reset(rd_kafka_topic_new(handle_->raw(), name.c_str(), conf));  // takes `conf`
  if (!topic.handle) return kafka_error(rd_kafka_last_error(), {}, act);
  DRS_ASSIGN_OR_RETURN(topic.partitions, ask_kafka_partitions(*handle_, act, topic.handle.get()));
  return &topics_.emplace(name, std::move(topic)).first->second;
}

Result<void> KafkaWriter::write(std::uint32_t number, const Record& record) {
  DRS_ASSERT(number < partitions_.size(), "a partition that is not open");
  if (failed_) return *failed_;
  if (handle_->cancelled()) return KafkaHandle::cancelled_error();
  Partition& partition = partitions_[number];
  if (record.timestamp_ms == 0)
    return fail(Error(ErrorCode::kUsage, "writing " + kafka_partition_text(partition.name) +
                                             ": a record has timestamp 0, which librdkafka replaces by the current "
                                             "time; --timestamp-zero 1 writes 1"));
  DRS_RETURN_IF_ERROR(await_rate(record));
  DRS_RETURN_IF_ERROR(enqueue(partition, record));
  if (++since_served_ < kServeEvery) return {};
  return wait(milliseconds(0));
}

Result<void> KafkaWriter::await_rate(const Record& record) {
  if (!rate_) return {};
  while (!rate_->open(Steady::now()))
    DRS_RETURN_IF_ERROR(wait(std::clamp(rate_->closed_for(Steady::now()), milliseconds(1), kSlice)));
  rate_->spend(payload_bytes(record));
  return {};
}

Result<void> KafkaWriter::enqueue(Partition& partition, const Record& record) {
  KafkaHeaders headers = headers_of(record);
  std::array<rd_kafka_vu_t, 8> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = partition.topic;
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = static_cast<std::int32_t>(partition.name.partition);
  arguments[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[2].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[3].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[3].u.i64 = record.timestamp_ms;
  arguments[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[4].u.ptr = &partition;
  arguments[5] = memory_argument(RD_KAFKA_VTYPE_KEY, record.key);
  arguments[6] = memory_argument(RD_KAFKA_VTYPE_VALUE, record.value);
  arguments[7].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[7].u.headers = headers.get();
  const std::size_t count = headers ? arguments.size() : arguments.size() - 1;
  while (true) {
    const KafkaErrorObject refused(rd_kafka_produceva(handle_->raw(), arguments.data(), count));
    if (!refused) break;
    const rd_kafka_resp_err_t error = rd_kafka_error_code(refused.get());
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return fail(delivery_error(partition, error, false));
    if (waiting_ == 0)
      return fail(Error(ErrorCode::kUsage, "writing " + kafka_partition_text(partition.name) + ": a record of " +
                                               std::to_string(payload_bytes(record)) +
                                               " bytes is larger than the queue, which holds " +
                                               std::to_string(queue_bytes(options_.memory_bytes)) +
                                               "; raise --memory in proportion and go on with --resume"));
    DRS_RETURN_IF_ERROR(wait(kSlice));
  }
  static_cast<void>(headers.release());  // librdkafka owns them now
  if (waiting_++ == 0) last_progress_ = Steady::now();
  return {};
}

Error KafkaWriter::fail(Error error) {
  failed_ = std::move(error);
  return *failed_;
}

Result<void> KafkaWriter::wait(milliseconds at_most) {
  since_served_ = 0;
  handle_->serve(at_most);
  if (failed_) return *failed_;
  if (handle_->cancelled()) return KafkaHandle::cancelled_error();
  if (waiting_ == 0) return {};
  const Time now = Steady::now();
  if (now - last_progress_ <= options_.client.unavailable_after) return {};
  return fail(handle_->unreachable({"writing to Kafka", {}}));
}

Result<void> KafkaWriter::flush() {
  if (failed_) return *failed_;
  while (waiting_ > 0) {
    // Sends what lingers, and serves acknowledgments meanwhile.
    static_cast<void>(rd_kafka_flush(handle_->raw(), static_cast<int>(kSlice.count())));
    DRS_RETURN_IF_ERROR(wait(milliseconds(0)));
  }
  return {};
}

SinkPosition KafkaWriter::position(std::uint32_t number) const {
  DRS_ASSERT(number < partitions_.size(), "a partition that is not open");
  return partitions_[number].position;
}

void KafkaWriter::delivered(const rd_kafka_message_t& message) {
  Partition& partition = *static_cast<Partition*>(message._private);
  DRS_ASSERT(waiting_ > 0, "more acknowledgments than records");
  --waiting_;
  last_progress_ = Steady::now();
  if (failed_) return;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    SinkPosition& position = partition.position;
    // A broker that recognizes a repeated batch may not say where it is: behind the one before it.
    const std::int64_t offset = message.offset < 0 ? position.last_offset + 1 : message.offset;
    if (position.acknowledged > 0 && offset != position.last_offset + 1)
      failed_ = Error(ErrorCode::kUnsettled,
                      "writing " + kafka_partition_text(partition.name) + ": a record was stored at offset " +
                          std::to_string(offset) + ", after " + std::to_string(position.last_offset) +
                          ": the brokers have stored records twice, or another producer writes to the partition");
    ++position.acknowledged;
    position.last_offset = offset;
    return;
  }
  failed_ = delivery_error(partition, message.err,
                           rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED);
}

Error KafkaWriter::delivery_error(const Partition& partition, rd_kafka_resp_err_t error, bool maybe_stored) const {
  const KafkaAct act = writing_act(partition.name);
  std::array<char, 512> text{};
  if (const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(handle_->raw(), text.data(), text.size());
      fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const KafkaAct fatal_act{act.what, act.right + " (before Kafka 2.8 also IdempotentWrite on the cluster)"};
    Error out = kafka_error(fatal, text.data(), fatal_act);
    if (out.code != ErrorCode::kDenied) out.code = ErrorCode::kUnsettled;
    return out;
  }
  Error out = kafka_error(error, {}, act);
  out.message += advice_for(error);
  // A refusal is certain; a silence is not.
  if (maybe_stored && out.code == ErrorCode::kUnavailable) out.code = ErrorCode::kUnsettled;
  return out;
}

}  // namespace drs
