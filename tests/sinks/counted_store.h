// A store around another one that counts requests, as a bucket would: a list is one for each 1,000 names. Any thread
// may use its clones, which count together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/forwarding_store.h"

namespace drs::test {

struct StoreCounts {
  std::uint64_t reads = 0, pack_reads = 0;  // the latter are among the former: each reads a block of a pack
  std::uint64_t lists = 0, puts = 0, removes = 0;
  std::uint64_t read_bytes = 0, put_bytes = 0;
  [[nodiscard]] std::uint64_t requests() const { return reads + lists + puts + removes; }
};

class StoreCounter {
 public:
  [[nodiscard]] StoreCounts counts() const { return {reads, pack_reads, lists, puts, removes, read_bytes, put_bytes}; }
  void reset() { reads = pack_reads = lists = puts = removes = read_bytes = put_bytes = 0; }

  std::atomic<std::uint64_t> reads = 0, pack_reads = 0, lists = 0, puts = 0, removes = 0, read_bytes = 0, put_bytes = 0;
};

class CountedStore final : public ForwardingStore {
 public:
  CountedStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<StoreCounter> counter)
      : ForwardingStore(std::move(inner)), counter_(std::move(counter)) {}

  void put(PutOperation& operation) override {
    ++counter_->puts;
    for (const ByteView piece : operation.body) counter_->put_bytes += piece.size();
    inner().put(operation);
  }
  void get(GetOperation& operation) override {
    ++counter_->reads;
    if (operation.key.starts_with("packs/")) ++counter_->pack_reads;
    counter_->read_bytes += operation.destination.size();
    inner().get(operation);
  }
  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) {
      std::uint64_t names = 0;
      DRS_RETURN_IF_ERROR(inner().list(prefix, [&](const ObjectInfo& info) {
        ++names;
        return visit(info);
      }));
      counter_->lists += 1 + names / 1000;
    }
    return {};
  }
  Result<ObjectInfo> stat(const ObjectKey& key) override {
    ++counter_->reads;
    return inner().stat(key);
  }
  Result<void> remove(const ObjectKey& key) override {
    ++counter_->removes;
    return inner().remove(key);
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    counter_->removes += (keys.size() + 999) / 1000;
    return inner().remove_all(keys);
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<CountedStore>(std::move(inner), counter_));
  }

  std::shared_ptr<StoreCounter> counter_;
};

}  // namespace drs::test
