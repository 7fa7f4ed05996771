// Kafka records on their way into an archive and out of it: what one core needs for a record of a given size.
//
//   bench/records_bench [Google Benchmark's options]
//
// Every benchmark checks what it made before it is timed. Bytes are payload: keys and values.
#include <benchmark/benchmark.h>

#include <random>

#include "codecs/record_digest.h"
#include "engine/format/record_block.h"

namespace drs::bench {
namespace {

constexpr std::size_t kKeyBytes = 16;

// Records that fill about one record block, with bytes of their own.
class Records {
 public:
  explicit Records(std::size_t record_bytes) : bytes_(kRecordBlockBytesMax) {
    std::mt19937_64 random(1);
    for (Byte& b : bytes_) b = static_cast<Byte>('a' + random() % 26);
    std::int64_t timestamp_ms = 1'700'000'000'000;
    for (std::size_t at = 0; at + record_bytes <= bytes_.size(); at += record_bytes) {
      timestamp_ms += static_cast<std::int64_t>(random() % 3);
      records_.push_back({.offset = static_cast<std::int64_t>(records_.size()),
                          .timestamp_ms = timestamp_ms,
                          .timestamp_type = TimestampType::kCreateTime,
                          .key = ByteView(bytes_).subspan(at, kKeyBytes),
                          .value = ByteView(bytes_).subspan(at + kKeyBytes, record_bytes - kKeyBytes),
                          .headers = {}});
    }
  }
  [[nodiscard]] std::span<const Record> all() const { return records_; }

 private:
  Bytes bytes_;
  std::vector<Record> records_;
};

RecordDigest digest_of(std::span<const Record> records) {
  Bytes scratch;
  RecordDigest digest;
  for (const Record& record : records) digest.add(record_hash(record, scratch));
  return digest;
}

// Adds records from the front and encodes them; returns how many there was room for.
std::size_t encode(RecordBlockBuilder& builder, std::span<const Record> records, Bytes& block) {
  builder.begin(0, 0);
  std::size_t count = 0;
  for (; count < records.size() && builder.has_room_for(records[count]); ++count) builder.add(records[count]);
  block.resize(builder.header().bytes);
  builder.encode(block);
  return count;
}

Result<RecordDigest> digest_of_block(ByteView block) {
  DRS_ASSIGN_OR_RETURN(RecordBlockReader reader, RecordBlockReader::open(block));
  Bytes scratch;
  RecordDigest digest;
  while (true) {
    DRS_ASSIGN_OR_RETURN(const Record* record, reader.next());
    if (record == nullptr) return digest;
    digest.add(record_hash(*record, scratch));
  }
}

void count_records(benchmark::State& state, std::size_t records_each) {
  const auto records = static_cast<double>(records_each) * static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(records * static_cast<double>(state.range(0))));
  state.counters["record"] = benchmark::Counter(records, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void digest(benchmark::State& state) {
  const Records records(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(digest_of(records.all()));
  count_records(state, records.all().size());
}

void encode_block(benchmark::State& state) {
  const Records records(static_cast<std::size_t>(state.range(0)));
  RecordBlockBuilder builder;
  Bytes block;
  const std::size_t count = encode(builder, records.all(), block);
  const auto decoded = digest_of_block(block);
  if (!decoded.ok() || *decoded != digest_of(records.all().first(count))) {
    state.SkipWithError("the block holds other records");
    return;
  }
  for (auto _ : state) {
    encode(builder, records.all(), block);
    benchmark::DoNotOptimize(block.data());
  }
  count_records(state, count);
}

void decode_block(benchmark::State& state) {
  const Records records(static_cast<std::size_t>(state.range(0)));
  RecordBlockBuilder builder;
  Bytes block;
  const std::size_t count = encode(builder, records.all(), block);
  for (auto _ : state) {
    auto reader = RecordBlockReader::open(block);
    std::size_t got = 0;
    while (const Record* record = *reader->next()) got += record->value->empty() ? 0U : 1U;
    if (got != count) {
      state.SkipWithError("the block holds other records");
      return;
    }
  }
  count_records(state, count);
}

BENCHMARK(digest)->Name("Records/digest")->ArgName("bytes")->Arg(100)->Arg(300)->Arg(1000);
BENCHMARK(encode_block)->Name("Records/encode")->ArgName("bytes")->Arg(100)->Arg(300)->Arg(1000);
BENCHMARK(decode_block)->Name("Records/decode")->ArgName("bytes")->Arg(100)->Arg(300)->Arg(1000);

}  // namespace
}  // namespace drs::bench

BENCHMARK_MAIN();
