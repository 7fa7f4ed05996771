// librdkafka alone, as bench/kafka compares it with drstream: what a client reaches that keeps nothing and proves
// nothing.
//
//   bench/bare_kafka make FILE RECORDS BYTES SEED
//   bench/bare_kafka rows FILE PARTITIONS
//   bench/bare_kafka produce BOOTSTRAP TOPIC PARTITIONS COMPRESSION FILE
//   bench/bare_kafka consume BOOTSTRAP TOPIC PARTITIONS RECORDS SECONDS
//   bench/bare_kafka version
//
// `make` writes records of BYTES (key and value) as plain rows, each of them
//   varint timestamp · varint key length + 1 · key · varint value length + 1 · value
// The value is a JSON object of an id, a kind, an amount, and words mixed with random letters, about half of which zstd
// compresses away. `rows` prints the rows of a file in the order of their partitions: the key decides the partition.
// `produce` sends the rows of a file with the settings of KafkaWriter. `consume` reads a topic with one handle and the
// settings of KafkaFetcher, and counts records and bytes only; it reads the topic again and again until SECONDS have
// passed. Both print a JSON object. Their clocks start before the client connects, and after the file is in memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "sinks/kafka/kafka_fetch_limits.h"
#include "sinks/kafka/kafka_owners.h"

namespace drs::bench {
namespace {

constexpr std::uint64_t kClientBytes = 72 * kMiB;  // reading_client_bytes() of the default --memory
constexpr std::uint64_t kQueueBytes = 32 * kMiB;   // of KafkaWriter in a restore of the default --memory
constexpr std::uint64_t kBytesBesideRecord = 400;
constexpr std::uint64_t kFirstTimestampMs = 1'700'000'000'000;
constexpr std::size_t kBatchMessages = 1000;
constexpr std::uint32_t kServeEvery = 256;
constexpr int kWaitMs = 500;
constexpr std::chrono::milliseconds kWakeInterval{20};  // as KafkaWaker

using Settings = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void fail(const std::string& text) {
  fmt::print(stderr, "bare_kafka: {}\n", text);
  std::exit(1);
}

void check(rd_kafka_resp_err_t error, const char* what) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(fmt::format("{}: {}", what, rd_kafka_err2str(error)));
}

// Texts that zstd at level 1 makes about half as large.
class Texts {
 public:
  explicit Texts(std::uint64_t seed) : random_(seed) {
    std::mt19937_64 letters(1);  // every file has the same words
    for (std::string& word : words_) {
      const std::size_t size = 2 + letters() % 8;
      for (std::size_t i = 0; i < size; ++i) word += static_cast<char>('a' + letters() % 26);
    }
  }
  std::uint64_t number(std::uint64_t below) { return random_() % below; }

  std::string value(std::size_t bytes) {
    static constexpr std::array kKinds = {"view", "order", "payment", "return"};
    std::string out = fmt::format(R"({{"id":"{:016x}","kind":"{}","amount":{}.{:02},"note":")", random_(),
                                  kKinds[number(kKinds.size())], number(500), number(100));
    constexpr std::string_view kEnd = R"("})";
    while (out.size() + kEnd.size() < bytes) {
      out += words_[std::min(number(words_.size()), number(words_.size()))];
      out += ' ';
      if (number(4) == 0) add_random_letters(out);
    }
    out.resize(bytes - kEnd.size());
    return out.append(kEnd);
  }

 private:
  void add_random_letters(std::string& out) {
    static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (std::uint64_t bits = random_(), i = 0; i < 10; ++i, bits >>= 6) out += kLetters[bits % kLetters.size()];
    out += ' ';
  }

  std::mt19937_64 random_;
  std::array<std::string, 4096> words_;
};

void make(const std::string& path, std::uint64_t records, std::size_t record_bytes, std::uint64_t seed) {
  constexpr std::size_t kKeyBytes = 16, kBytesMin = 96;
  if (record_bytes < kBytesMin) fail(fmt::format("records have at least {} bytes", kBytesMin));
  Texts texts(seed);
  std::ofstream file(path, std::ios::binary);
  Bytes row;
  std::uint64_t timestamp_ms = kFirstTimestampMs;
  for (std::uint64_t i = 0; i < records; ++i) {
    row.clear();
    ByteWriter writer(row);
    timestamp_ms += texts.number(3);
    writer.varint(timestamp_ms);
    const std::string key = fmt::format("user-{:011}", texts.number(1'000'000));
    const std::string value = texts.value(record_bytes - kKeyBytes);
    writer.varint(key.size() + 1);
    writer.raw(as_bytes(key));
    writer.varint(value.size() + 1);
    writer.raw(as_bytes(value));
    file.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size()));
  }
  file.close();
  if (!file) fail("cannot write " + path);
}

// A file in memory, to the end of the program.
ByteView mapped(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) fail("cannot open " + path);
  const auto bytes = static_cast<std::size_t>(status.st_size);
  void* const place = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (place == MAP_FAILED) fail("cannot map " + path);
  return {static_cast<const Byte*>(place), bytes};
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }
  // Of all threads of this process.
  [[nodiscard]] double cpu_seconds() const {
    return static_cast<double>(std::clock() - cpu_) / static_cast<double>(CLOCKS_PER_SEC);
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::clock_t cpu_ = std::clock();
};

struct Counted {
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;
};

void print(const Counted& counted, const Stopwatch& watch) {
  fmt::print("{{\"records\": {}, \"payload_bytes\": {}, \"seconds\": {:.3f}, \"cpu_seconds\": {:.3f}}}\n",
             counted.records, counted.payload_bytes, watch.seconds(), watch.cpu_seconds());
}

class Client {
 public:
  Client(rd_kafka_type_t type, const std::string& bootstrap, const Settings& settings, std::uint64_t* undelivered) {
    KafkaConf conf(rd_kafka_conf_new());
    std::array<char, 512> text{};
    const auto set = [&](const std::string& name, const std::string& value) {
      if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
        fail(text.data());
    };
    set("bootstrap.servers", bootstrap);
    for (const auto& [name, value] : settings) set(name, value);
    if (undelivered != nullptr) {
      rd_kafka_conf_set_opaque(conf.get(), undelivered);
      rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* count) {
        check(message->err, "a record was not delivered");
        --*static_cast<std::uint64_t*>(count);
      });
    }
    raw_ = rd_kafka_new(type, conf.get(), text.data(), text.size());
    if (raw_ == nullptr) fail(text.data());
    static_cast<void>(conf.release());
  }
  ~Client() { rd_kafka_destroy_flags(raw_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  [[nodiscard]] rd_kafka_t* raw() const { return raw_; }

  [[nodiscard]] KafkaTopic topic(const std::string& name, const std::string& compression = {}) const {
    rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(raw_);
    std::array<char, 512> text{};
    if (!compression.empty() && rd_kafka_topic_conf_set(conf, "compression.type", compression.c_str(), text.data(),
                                                        text.size()) != RD_KAFKA_CONF_OK)
      fail(text.data());
    KafkaTopic topic(rd_kafka_topic_new(raw_, name.c_str(), conf));
    if (!topic) check(rd_kafka_last_error(), "opening the topic");
    return topic;
  }

 private:
  rd_kafka_t* raw_ = nullptr;
};

struct Row {
  std::int64_t timestamp_ms = 0;
  ByteView key;
  ByteView value;
};

void read_row(ByteReader& reader, Row& row) {
  row.timestamp_ms = static_cast<std::int64_t>(reader.varint());
  row.key = reader.raw(reader.varint() - 1);
  row.value = reader.raw(reader.varint() - 1);
  if (reader.failed()) fail("the file ends within a row");
}

std::uint32_t partition_of(ByteView key, std::uint32_t partitions) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const Byte b : key) hash = (hash ^ static_cast<std::uint8_t>(b)) * 0x100000001b3;
  return static_cast<std::uint32_t>((hash >> 32) % partitions);
}

void send(const Client& client, rd_kafka_topic_t* topic, std::uint32_t partition, const Row& row) {
  std::array<rd_kafka_vu_t, 6> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = topic;
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = static_cast<std::int32_t>(partition);
  arguments[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[2].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[3].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[3].u.i64 = row.timestamp_ms;
  arguments[4].vtype = RD_KAFKA_VTYPE_KEY;
  arguments[4].u.mem = {const_cast<Byte*>(row.key.data()), row.key.size()};
  arguments[5].vtype = RD_KAFKA_VTYPE_VALUE;
  arguments[5].u.mem = {const_cast<Byte*>(row.value.data()), row.value.size()};
  while (true) {
    const KafkaErrorObject refused(rd_kafka_produceva(client.raw(), arguments.data(), arguments.size()));
    if (!refused) return;
    const rd_kafka_resp_err_t error = rd_kafka_error_code(refused.get());
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) check(error, "sending");
    rd_kafka_poll(client.raw(), kWaitMs);
  }
}

// The rows as a reader of one partition after the other would write them.
void print_rows(const std::string& path, std::uint32_t partitions) {
  const ByteView bytes = mapped(path);
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    ByteReader reader(bytes, "the rows");
    for (Row row; reader.remaining() > 0;) {
      const ByteView rest = bytes.last(reader.remaining());
      read_row(reader, row);
      if (partition_of(row.key, partitions) == partition)
        std::fwrite(rest.data(), 1, rest.size() - reader.remaining(), stdout);
    }
  }
  if (std::fflush(stdout) != 0) fail("cannot write the rows");
}

struct Target {
  std::string bootstrap;
  std::string topic;
  std::uint32_t partitions = 0;
};

void produce(const Target& target, const std::string& compression, const std::string& path) {
  ByteReader rows(mapped(path), "the rows");
  const Stopwatch watch;
  const Settings settings = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.timeout.ms", "0"},
      {"linger.ms", "50"},
      {"batch.size", "1000000"},
      {"batch.num.messages", "100000"},
      {"message.max.bytes", "1000000000"},
      {"queue.buffering.max.kbytes", std::to_string(kQueueBytes / kKiB)},
      {"queue.buffering.max.messages", std::to_string(kQueueBytes / kBytesBesideRecord)},
  };
  Counted counted;
  std::uint64_t undelivered = 0;
  const Client client(RD_KAFKA_PRODUCER, target.bootstrap, settings, &undelivered);
  const KafkaTopic topic = client.topic(target.topic, compression);
  for (Row row; rows.remaining() > 0;) {
    read_row(rows, row);
    send(client, topic.get(), partition_of(row.key, target.partitions), row);
    ++undelivered;
    ++counted.records;
    counted.payload_bytes += row.key.size() + row.value.size();
    if (counted.records % kServeEvery == 0) rd_kafka_poll(client.raw(), 0);
  }
  while (undelivered > 0) static_cast<void>(rd_kafka_flush(client.raw(), kWaitMs));
  print(counted, watch);
}

// As KafkaWaker: keeps a librdkafka before 2.2 fetching after its queue was full.
std::jthread wake_often(const Client& client, const std::string& topic) {
  return std::jthread([&client, topic](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(kWakeInterval);
      const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_END;
      static_cast<void>(rd_kafka_offsets_for_times(client.raw(), list.get(), kWaitMs));
    }
  });
}

std::uint64_t take_batch(rd_kafka_queue_t* queue, Counted& counted) {
  static std::array<rd_kafka_message_t*, kBatchMessages> messages;
  ssize_t taken = rd_kafka_consume_batch_queue(queue, 0, messages.data(), messages.size());
  if (taken <= 0) {
    messages[0] = rd_kafka_consume_queue(queue, kWaitMs);
    taken = messages[0] == nullptr ? 0 : 1;
  }
  std::uint64_t records = 0;
  for (rd_kafka_message_t* const raw : std::span(messages).first(static_cast<std::size_t>(taken))) {
    const KafkaMessage message(raw);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
    check(message->err, "reading");
    ++records;
    counted.payload_bytes += message->key_len + message->len;
  }
  counted.records += records;
  return records;
}

void consume_once(const Client& client, const Target& target, std::uint64_t records, Counted& counted) {
  const KafkaTopic topic = client.topic(target.topic);
  const KafkaQueue queue(rd_kafka_queue_new(client.raw()));
  for (std::uint32_t i = 0; i < target.partitions; ++i)
    if (rd_kafka_consume_start_queue(topic.get(), static_cast<std::int32_t>(i), RD_KAFKA_OFFSET_BEGINNING,
                                     queue.get()) != 0)
      check(rd_kafka_last_error(), "starting to read");
  std::uint64_t left = records;
  while (left > 0) {
    const std::uint64_t taken = take_batch(queue.get(), counted);
    if (taken > left) fail("the topic has more records");
    left -= taken;
  }
  for (std::uint32_t i = 0; i < target.partitions; ++i)
    rd_kafka_consume_stop(topic.get(), static_cast<std::int32_t>(i));
}

void consume(const Target& target, std::uint64_t records, double seconds) {
  const Stopwatch watch;
  Settings settings = {
      {"isolation.level", "read_committed"}, {"auto.offset.reset", "error"},     {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"},   {"check.crcs", "true"},
      {"fetch.wait.max.ms", "50"},           {"statistics.interval.ms", "2000"},
  };
  for (const KafkaHandle::Own& own : fetch_settings(kafka_fetch_limits(kClientBytes, 1, kKafkaExpansionAtFirst)))
    settings.emplace_back(own.name, own.value);
  const bool wakes_itself = kafka_client_knows("fetch.queue.backoff.ms", "5");
  if (wakes_itself) settings.emplace_back("fetch.queue.backoff.ms", "5");
  Counted counted;
  const Client client(RD_KAFKA_CONSUMER, target.bootstrap, settings, nullptr);
  const std::jthread waker = wakes_itself ? std::jthread() : wake_often(client, target.topic);
  do consume_once(client, target, records, counted);
  while (watch.seconds() < seconds);
  print(counted, watch);
}

int run(std::span<const std::string> words) {
  const std::string command = words.empty() ? "" : words[0];
  const auto number = [&](std::size_t i) { return std::stoull(words[i]); };
  const auto target = [&] { return Target{words[1], words[2], static_cast<std::uint32_t>(number(3))}; };
  if (command == "version") {
    fmt::print("librdkafka {}\n", rd_kafka_version_str());
  } else if (command == "make" && words.size() == 5) {
    make(words[1], number(2), number(3), number(4));
  } else if (command == "rows" && words.size() == 3) {
    print_rows(words[1], static_cast<std::uint32_t>(number(2)));
  } else if (command == "produce" && words.size() == 6) {
    produce(target(), words[4], words[5]);
  } else if (command == "consume" && words.size() == 6) {
    consume(target(), number(4), std::stod(words[5]));
  } else {
    fail("usage: see the head of bench/bare_kafka.cc");
  }
  return 0;
}

}  // namespace
}  // namespace drs::bench

int main(int count, char** words) {
  return drs::bench::run(std::vector<std::string>(words + 1, words + count));
}
