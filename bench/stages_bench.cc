// Each stage of the pipeline alone, on the bytes it really sees: what one core does with one byte of it.
//
//   DRSTREAM_BENCH_DATA=FOLDER bench/stages_bench [Google Benchmark's options]
//
// Every benchmark checks what it made before it is timed. Rates are of plaintext; seconds per GB are
// nanoseconds per byte.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "bench/bench_data.h"
#include "bench/dedup_bench.h"
#include "codecs/aead.h"
#include "codecs/chunk_hasher.h"
#include "codecs/chunker.h"
#include "codecs/compression.h"
#include "codecs/random.h"
#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/format/kinds.h"
#include "engine/pipeline/push/dedup_table.h"
#include "io/buffer_pool.h"
#include "io/fd.h"
#include "io/file_system.h"
#include "io/pipe_source.h"
#include "io/stream_sink.h"
#include "sinks/local/local_store.h"
#include "sinks/object_io.h"

namespace drs::bench {
namespace {

constexpr std::size_t kSegmentBytes = std::size_t{2} << 20;
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

ByteView key() {
  static const Bytes bytes = [] {
    Bytes drawn(32);
    random_bytes(drawn);
    return drawn;
  }();
  return bytes;
}

void count_bytes(benchmark::State& state, std::size_t bytes_each) {
  const auto bytes = static_cast<double>(bytes_each) * static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["per GB"] =
      benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Ends a benchmark whose stage gave wrong bytes; nothing about its speed matters then.
bool check(benchmark::State& state, bool right, const char* what) {
  if (!right) state.SkipWithError(what);
  return right;
}

std::vector<ByteView> chunks_of(ByteView data) {
  const Chunker chunker(ChunkParameters{}, key());
  std::vector<ByteView> chunks;
  for (std::size_t at = 0; at < data.size();) {
    const std::size_t bytes = chunker.next(data.subspan(at), Follows::kEndOfStream);
    chunks.push_back(data.subspan(at, bytes));
    at += bytes;
  }
  return chunks;
}

// The blocks of a stream that is all new: 1 MiB each.
std::vector<ByteView> blocks_of(ByteView data) {
  std::vector<ByteView> blocks;
  for (std::size_t at = 0; at + kBlockBytes <= data.size(); at += kBlockBytes)
    blocks.push_back(data.subspan(at, kBlockBytes));
  return blocks;
}

void pipe_read(benchmark::State& state, const DataSet& data) {
  Bytes buffer(kSegmentBytes);
  for (auto _ : state) {
    std::array<int, 2> ends{};
    if (!check(state, ::pipe(ends.data()) == 0, "no pipe")) return;
    std::thread writer([&] {
      for (std::size_t at = 0; at < data.bytes.size();) {
        const ssize_t wrote = ::write(ends[1], data.bytes.data() + at, data.bytes.size() - at);
        if (wrote <= 0) break;
        at += static_cast<std::size_t>(wrote);
      }
      ::close(ends[1]);
    });
    auto source = make_pipe_source(ends[0], "bench");
    std::size_t total = 0;
    for (std::size_t count = buffer.size(); source.ok() && count == buffer.size(); total += count) {
      (*source)->start(buffer);
      const auto filled = (*source)->finish();
      count = filled.ok() ? *filled : 0;
    }
    writer.join();
    ::close(ends[0]);
    if (!check(state, total == data.bytes.size(), "bytes were lost in the pipe")) return;
  }
  count_bytes(state, data.bytes.size());
}

void pipe_write(benchmark::State& state, const DataSet& data) {
  for (auto _ : state) {
    std::array<int, 2> ends{};
    if (!check(state, ::pipe(ends.data()) == 0, "no pipe")) return;
    std::size_t total = 0;
    bool wrote = false;
    {
      auto sink = make_owned_stream_sink(Fd(ends[1]), "bench");
      std::thread reader([&] {
        Bytes buffer(kBlockBytes);
        for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
          total += static_cast<std::size_t>(count);
      });
      wrote = sink.ok();
      for (std::size_t at = 0; wrote && at < data.bytes.size(); at += kBlockBytes) {
        const ByteView rest = ByteView(data.bytes).subspan(at);
        wrote = (*sink)->write(rest.first(std::min(kBlockBytes, rest.size()))).ok();
      }
      if (sink.ok()) sink->reset();
      reader.join();
    }
    ::close(ends[0]);
    if (!check(state, wrote && total == data.bytes.size(), "bytes were lost in the pipe")) return;
  }
  count_bytes(state, data.bytes.size());
}

void cut(benchmark::State& state, const DataSet& data) {
  std::size_t total = 0;
  for (const ByteView chunk : chunks_of(data.bytes)) total += chunk.size();
  if (!check(state, total == data.bytes.size(), "chunks do not add up")) return;
  const Chunker chunker(ChunkParameters{}, key());
  const ByteView bytes = data.bytes;
  for (auto _ : state)
    for (std::size_t at = 0; at < bytes.size();) at += chunker.next(bytes.subspan(at), Follows::kEndOfStream);
  count_bytes(state, bytes.size());
}

void hash(benchmark::State& state, const DataSet& data, CryptoBackend backend, std::size_t lanes) {
  const std::vector<ByteView> chunks = chunks_of(data.bytes);
  std::vector<Digest> ids(chunks.size());
  std::vector<Digest> expected(chunks.size());
  ChunkHasher(key(), CryptoBackend::kOpenssl).hash(chunks, expected);
  ChunkHasher hasher(key(), backend);
  for (auto _ : state)
    for (std::size_t at = 0; at < chunks.size();) {
      const std::size_t count = std::min(lanes, chunks.size() - at);
      hasher.hash(std::span(chunks).subspan(at, count), std::span(ids).subspan(at, count));
      at += count;
    }
  if (!check(state, ids == expected, "ids differ from OpenSSL's")) return;
  count_bytes(state, data.bytes.size());
}

void compress(benchmark::State& state, const DataSet& data, CompressionChoice choice) {
  auto compressor = Compressor::make(choice, kBlockBytes);
  auto decompressor = Decompressor::make();
  if (!check(state, compressor.ok() && decompressor.ok(), "no memory for a codec")) return;
  const std::vector<ByteView> blocks = blocks_of(data.bytes);
  Bytes out(kBlockBytes);
  Bytes back(kBlockBytes);
  std::size_t stored = 0;
  for (const ByteView block : blocks) {
    const auto made = compressor->compress(block, out);
    if (!check(state, made.ok(), "a block was not compressed")) return;
    stored += made->bytes;
    if (made->codec == Codec::kRaw) continue;
    const bool right = decompressor->decompress(made->codec, ByteView(out).first(made->bytes), back).ok() &&
                       std::equal(back.begin(), back.end(), block.begin());
    if (!check(state, right, "a block does not decode to itself")) return;
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(compressor->compress(blocks[next], out));
    next = (next + 1) % blocks.size();
  }
  count_bytes(state, kBlockBytes);
  state.counters["ratio"] = static_cast<double>(blocks.size() * kBlockBytes) / static_cast<double>(stored);
}

void decode(benchmark::State& state, const DataSet& data, CompressionChoice choice) {
  auto compressor = Compressor::make(choice, kBlockBytes);
  auto decompressor = Decompressor::make();
  if (!check(state, compressor.ok() && decompressor.ok(), "no memory for a codec")) return;
  struct Encoded {
    Codec codec;
    Bytes bytes;
  };
  std::vector<Encoded> encoded;
  Bytes out(kBlockBytes);
  for (const ByteView block : blocks_of(data.bytes)) {
    const auto made = compressor->compress(block, out);
    if (!check(state, made.ok(), "a block was not compressed")) return;
    const ByteView bytes = made->codec == Codec::kRaw ? block : ByteView(out).first(made->bytes);
    encoded.push_back({made->codec, Bytes(bytes.begin(), bytes.end())});
    const bool right = decompressor->decompress(made->codec, encoded.back().bytes, out).ok() &&
                       std::equal(out.begin(), out.end(), block.begin());
    if (!check(state, right, "a block does not decode to itself")) return;
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decompressor->decompress(encoded[next].codec, encoded[next].bytes, out));
    next = (next + 1) % encoded.size();
  }
  count_bytes(state, kBlockBytes);
}

void seal(benchmark::State& state, const DataSet& data, CryptoBackend backend, bool open) {
  const Aead aead(key(), backend);
  const std::array<Byte, kAeadNonceBytes> nonce{};
  const std::vector<ByteView> blocks = blocks_of(data.bytes);
  std::vector<Bytes> sealed;
  Bytes out(kBlockBytes + kAeadTagBytes);
  for (const ByteView block : blocks) {
    sealed.emplace_back(kBlockBytes + kAeadTagBytes);
    aead.seal(nonce, {}, block, sealed.back());
    const MutableByteView plain = MutableByteView(out).first(kBlockBytes);
    const bool right = Aead(key(), CryptoBackend::kOpenssl).open(nonce, {}, sealed.back(), plain).ok() &&
                       std::equal(plain.begin(), plain.end(), block.begin());
    if (!check(state, right, "a sealed block does not open")) return;
  }
  std::size_t next = 0;
  for (auto _ : state) {
    if (open)
      benchmark::DoNotOptimize(aead.open(nonce, {}, sealed[next], MutableByteView(out).first(kBlockBytes)));
    else
      aead.seal(nonce, {}, blocks[next], out);
    next = (next + 1) % blocks.size();
  }
  count_bytes(state, kBlockBytes);
}

void stream_sha256(benchmark::State& state, const DataSet& data) {
  for (auto _ : state) benchmark::DoNotOptimize(sha256(data.bytes));
  Sha256 pieces;
  for (std::size_t at = 0; at < data.bytes.size(); at += kSegmentBytes)
    pieces.update(ByteView(data.bytes).subspan(at, std::min(kSegmentBytes, data.bytes.size() - at)));
  if (!check(state, pieces.finish() == sha256(data.bytes), "pieces hash to something else")) return;
  count_bytes(state, data.bytes.size());
}

void stream_xxh3(benchmark::State& state, const DataSet& data) {
  Xxh3Stream pieces;
  pieces.update(ByteView(data.bytes).first(kSegmentBytes));
  pieces.update(ByteView(data.bytes).subspan(kSegmentBytes));
  if (!check(state, pieces.finish() == xxh3_128(data.bytes), "pieces hash to something else")) return;
  for (auto _ : state) benchmark::DoNotOptimize(xxh3_128(data.bytes));
  count_bytes(state, data.bytes.size());
}

constexpr std::uint64_t kKnownSeed = 7;

// A table of so many chunks. The last one made is kept: Google Benchmark calls a benchmark several times.
const DedupTable& filled_table(std::size_t chunks) {
  static std::optional<DedupTable> table;
  if (table && table->size() == chunks) return *table;
  table.reset();
  auto made = DedupTable::make(chunks / 3 * 4 * 12 + 4096);
  if (!made.ok()) {
    std::fprintf(stderr, "no memory for a table of %zu chunks\n", chunks);
    std::exit(2);
  }
  table = std::move(made).value();
  std::mt19937_64 known(kKnownSeed);
  for (std::size_t i = 0; i < chunks; ++i)
    table->insert(known(), {static_cast<std::uint32_t>(i >> 16), static_cast<std::uint16_t>(i >> 6),
                            static_cast<std::uint16_t>(i & 63)});
  return *table;
}

// What a look-up costs depends on how far the table outgrows the caches; words are uniform, as HMACs are.
void look_up(benchmark::State& state, std::size_t chunks, bool hit) {
  const DedupTable& table = filled_table(chunks);
  std::mt19937_64 source(hit ? kKnownSeed : kKnownSeed + 1);
  std::vector<std::uint64_t> words(std::min<std::size_t>(1 << 22, chunks));
  std::generate(words.begin(), words.end(), source);
  std::shuffle(words.begin(), words.end(), source);
  const auto found = [&](std::uint64_t word) {
    bool any = false;
    table.find(word, [&](const ChunkHint&) { return any = true; });
    return any;
  };
  if (hit && !check(state, std::all_of(words.begin(), words.end(), found), "a known chunk is not found")) return;
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(found(words[next]));
    next = (next + 1) % words.size();
  }
  state.SetItemsProcessed(state.iterations());
  count_bytes(state, ChunkParameters{}.bytes_mean);
}

void pack_write(benchmark::State& state, const DataSet& data, IoChoice io, bool direct) {
  constexpr std::size_t kPackBytes = std::size_t{16} << 20;
  const auto folder = std::filesystem::temp_directory_path() / ("drs-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  struct Remove {
    std::filesystem::path path;
    ~Remove() { std::filesystem::remove_all(path); }
  } const remove{folder};
  auto files = open_file_system(folder.string(), io);
  if (!check(state, files.ok(), "the folder cannot be opened")) return;
  auto store =
      open_local_store(std::move(*files), {.parallel = 4, .direct = direct ? DirectIo::kWhereAligned : DirectIo::kOff});
  if (!check(state, store.ok(), "the store cannot be opened")) return;
  auto arena = BufferArena::map(kPackBytes);
  if (!check(state, arena.ok(), "no memory")) return;
  const MutableByteView pack = arena->whole();
  std::copy_n(data.bytes.begin(), std::min(pack.size(), data.bytes.size()), pack.begin());
  (*store)->register_memory(pack);
  int number = 0;
  std::string name;
  for (auto _ : state) {
    name = "packs/" + std::to_string(number++);
    if (!check(state, put_object(**store, name, pack).ok(), "a pack was not written")) return;
  }
  Bytes back(kPackBytes);
  const bool right = get_range(**store, name, 0, back).ok() && std::equal(back.begin(), back.end(), pack.begin());
  if (!check(state, right, "a pack reads back wrong")) return;
  count_bytes(state, kPackBytes);
}

void declare() {
  const bool lanes = best_crypto_backend() == CryptoBackend::kIpsecMb;
  const auto add = [](const std::string& stage, const DataSet& data, auto&& run) {
    return benchmark::RegisterBenchmark((stage + "/" + data.name).c_str(),
                                        [&data, run](benchmark::State& state) { run(state, data); });
  };
  for (const DataSet& data : data_sets()) {
    add("pipe-read", data, pipe_read)->UseRealTime();
    add("pipe-write", data, pipe_write)->UseRealTime();
    add("cut", data, cut);
    add("hash/openssl", data, [](auto& state, const auto& set) { hash(state, set, CryptoBackend::kOpenssl, 128); });
    if (lanes)
      for (const std::size_t count : {1U, 4U, 16U, 128U})
        add("hash/ipsec-mb:" + std::to_string(count), data,
            [count](auto& state, const auto& set) { hash(state, set, CryptoBackend::kIpsecMb, count); });
    for (const char* name : {"zstd:-1", "zstd:1", "zstd:3", "zstd:9", "lz4"}) {
      const CompressionChoice choice = *parse_compression(name);
      add(std::string("compress/") + name, data,
          [choice](auto& state, const auto& set) { compress(state, set, choice); });
      add(std::string("decode/") + name, data, [choice](auto& state, const auto& set) { decode(state, set, choice); });
    }
    add("seal/openssl", data, [](auto& state, const auto& set) { seal(state, set, CryptoBackend::kOpenssl, false); });
    add("open/openssl", data, [](auto& state, const auto& set) { seal(state, set, CryptoBackend::kOpenssl, true); });
    if (lanes) {
      add("seal/ipsec-mb", data,
          [](auto& state, const auto& set) { seal(state, set, CryptoBackend::kIpsecMb, false); });
      add("open/ipsec-mb", data, [](auto& state, const auto& set) { seal(state, set, CryptoBackend::kIpsecMb, true); });
    }
    add("sha256", data, stream_sha256);
    add("xxh3", data, stream_xxh3);
  }
  const DataSet& random = data_set("random");
  for (const auto& [name, io] : {std::pair{"uring", IoChoice::kUring}, std::pair{"posix", IoChoice::kPosix}}) {
    if (io == IoChoice::kUring && !probe_uring().uring_usable) continue;
    for (const bool direct : {true, false})
      add(std::string("pack-write/") + name + (direct ? "/direct" : "/buffered"), random,
          [io, direct](auto& state, const auto& set) { pack_write(state, set, io, direct); })
          ->UseRealTime();
  }
  for (const std::size_t chunks : {std::size_t{1'000'000}, std::size_t{10'000'000}, std::size_t{100'000'000}})
    for (const bool hit : {true, false})
      benchmark::RegisterBenchmark(("look-up/" + std::to_string(chunks) + (hit ? "/hit" : "/miss")).c_str(),
                                   [chunks, hit](benchmark::State& state) { look_up(state, chunks, hit); });
}

}  // namespace
}  // namespace drs::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("crypto", drs::crypto_library_versions());
  drs::bench::declare();
  drs::bench::declare_dedup();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
