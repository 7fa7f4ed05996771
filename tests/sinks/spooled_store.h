// A spool between two stores in memory, for the suite that every store passes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "sinks/memory_store.h"
#include "sinks/spool_store.h"

namespace drs::test {

// Names that always mean the same bytes are spooled; the others of the suite are not, as they could be taken.
inline SpoolRuling contract_ruling(std::string_view key) {
  SpoolRuling ruling;
  if (key.starts_with("packs/") || key.starts_with("many/") || key.starts_with("sizes/"))
    ruling.role = SpoolRole::kAnyOrder;
  if (key.starts_with("index/") || key.starts_with("chain/")) ruling.role = SpoolRole::kInOrder;
  if (key.starts_with("manifests/")) ruling.role = SpoolRole::kCommit;
  return ruling;
}

// The store, and the spool, which must live as long.
inline std::pair<std::unique_ptr<ObjectStore>, std::shared_ptr<void>> make_spooled_store(std::uint64_t size_bytes_max) {
  const auto store = make_memory_store(std::make_shared<MemoryObjects>());
  SpoolOptions options;
  options.rule = contract_ruling;
  options.size_bytes_max = size_bytes_max;
  options.upload_bytes_max = 8 * kMiB;
  std::shared_ptr<Spool> spool = *Spool::open(*store, make_memory_store(std::make_shared<MemoryObjects>()), options);
  return {*spool->wrap(*store->another()), spool};
}

}  // namespace drs::test
