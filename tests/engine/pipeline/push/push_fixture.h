// An empty repository in memory, and pushes into it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "engine/format/document.h"
#include "engine/format/manifest.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/push.h"
#include "engine/repository/repository.h"
#include "io/base/clock.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/push/buffer_source.h"
#include "tests/engine/pipeline/read_back.h"

namespace drs::test {

inline Bytes random_stream(std::uint32_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  Bytes out(bytes);
  for (Byte& b : out) b = static_cast<Byte>(random());
  return out;
}

// Text-like: compressible, without long repeats.
inline Bytes text_stream(std::uint32_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  Bytes out;
  out.reserve(bytes + 64);
  while (out.size() < bytes) {
    const std::string line = std::to_string(random() % 1000000) + "\tuser" + std::to_string(random() % 5000) +
                             "@example.org\t2026-11-" + std::to_string(random() % 28) + "\n";
    out.insert(out.end(), line.begin(), line.end());
  }
  out.resize(bytes);
  return out;
}

class MemoryRepositoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    InitOptions options;
    options.secret.kind = SlotKind::kRawKey;
    options.secret.bytes = SecretBytes(32);
    options.secret.bytes.mutable_view()[0] = 1;
    options.tool_version = "test";
    ASSERT_TRUE(Repository::init(*make_memory_store(objects_), clock_, options).ok());
    auto opened = Repository::open(make_memory_store(objects_), clock_, options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    repository_ = *std::move(opened);
  }

  SystemClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::unique_ptr<Repository> repository_;
};

class PushTest : public MemoryRepositoryTest {
 protected:
  // Stores a manifest that no push wrote.
  void insert(const Manifest& manifest) {
    const std::string name = manifest_name(repository_->keys().stream_tag(manifest.stream), manifest.session);
    const Bytes body = *encode_manifest(manifest);
    ASSERT_TRUE(objects_->insert(name, encode_document(repository_->keys(), ObjectKind::kManifest, name, body), 0));
  }
  Result<PushReport> push_bytes(ByteView stream, std::size_t threads = 2, PushOptions options = {},
                                std::size_t memory_bytes = kMemoryBytesMin) {
    BufferSource source(stream);
    return push_source(source, threads, std::move(options), memory_bytes);
  }
  Result<PushReport> push_source(Source& source, std::size_t threads = 2, PushOptions options = {},
                                 std::size_t memory_bytes = kMemoryBytesMin) {
    if (options.stream.empty()) options.stream = "test/stream";
    DRS_ASSIGN_OR_RETURN(const PushMemory memory,
                         plan_push({.memory_bytes = memory_bytes, .threads = threads}, options.compression));
    DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
    ProgressCounters progress;
    return push(*repository_, source, options, {memory, arena}, {progress, cancel_});
  }

  Result<Bytes> read_back(const Manifest& manifest) { return test::read_back(*repository_, manifest); }

  CancelToken cancel_;
};

}  // namespace drs::test
