// Shared by the tests of object stores: operations that count their ends, bodies, and aligned memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/base/bytes.h"
#include "io/file_system.h"
#include "sinks/object_store.h"

namespace drs::test {

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  Bytes bytes(size);
  for (Byte& byte : bytes) byte = static_cast<Byte>(generator());
  return bytes;
}

// Memory aligned for O_DIRECT.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size)
      : size_(size), memory_(static_cast<Byte*>(::operator new(size + 1, std::align_val_t{kDirectAlignment}))) {}
  explicit AlignedBytes(ByteView bytes) : AlignedBytes(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), memory_.get());
  }
  [[nodiscard]] MutableByteView view() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(Byte* memory) const { ::operator delete(memory, std::align_val_t{kDirectAlignment}); }
  };
  std::size_t size_;
  std::unique_ptr<Byte, Free> memory_;
};

// A put that counts how often it was done.
struct TestPut {
  explicit TestPut(ObjectKey key, std::vector<ByteView> body) {
    operation.key = std::move(key);
    operation.body = std::move(body);
    operation.owner = this;
    operation.done = [](PutOperation& put) { ++static_cast<TestPut*>(put.owner)->done_count; };
  }
  TestPut(const TestPut&) = delete;
  TestPut& operator=(const TestPut&) = delete;
  PutOperation operation;
  int done_count = 0;
};

struct TestGet {
  TestGet(ObjectKey key, std::uint64_t offset_bytes, MutableByteView destination) {
    operation.key = std::move(key);
    operation.offset_bytes = offset_bytes;
    operation.destination = destination;
    operation.owner = this;
    operation.done = [](GetOperation& get) { ++static_cast<TestGet*>(get.owner)->done_count; };
  }
  TestGet(const TestGet&) = delete;
  TestGet& operator=(const TestGet&) = delete;
  GetOperation operation;
  int done_count = 0;
};

template <typename T>
void run_until_done(ObjectStore& store, const T& operation) {
  while (operation.done_count == 0) {
    ASSERT_GT(store.in_flight(), 0U);
    const Result<std::size_t> moved = store.run(true);
    ASSERT_TRUE(moved.ok()) << moved.error().message;
  }
  EXPECT_EQ(operation.done_count, 1);
}

template <typename T>
std::string outcome(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

inline std::set<ObjectKey> listed_keys(ObjectStore& store, std::string_view prefix) {
  std::set<ObjectKey> keys;
  const Result<void> listed = store.list(prefix, [&](const ObjectInfo& info) -> Result<void> {
    EXPECT_TRUE(keys.insert(info.key).second) << info.key << " listed twice";
    return {};
  });
  EXPECT_TRUE(listed.ok()) << listed.error().message;
  return keys;
}

class TemporaryRoot {
 public:
  TemporaryRoot() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drs-sinks-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "mkdtemp";
    path_ = pattern;
  }
  ~TemporaryRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryRoot(const TemporaryRoot&) = delete;
  TemporaryRoot& operator=(const TemporaryRoot&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace drs::test
