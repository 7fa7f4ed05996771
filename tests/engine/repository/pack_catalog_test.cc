#include "engine/repository/pack_catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/format/names.h"
#include "sinks/memory_store.h"

namespace drs {
namespace {

Digest random_digest(std::mt19937_64& random) {
  Digest digest;
  for (Byte& byte : digest.data) byte = static_cast<Byte>(random());
  return digest;
}

TEST(PackCatalog, FindsThePacksListedAndThoseAddedSince) {
  const SystemClock clock;
  auto store = make_memory_store(std::make_shared<MemoryObjects>());
  InitOptions options;
  options.secret = {SlotKind::kRawKey, SecretBytes(32)};
  ASSERT_TRUE(Repository::init(*store, clock, options).ok());
  std::mt19937_64 random(1);
  std::vector<PackInfo> expected;
  for (std::uint64_t i = 0; i < 50; ++i) {
    expected.push_back({.name = random_digest(random), .bytes = i + 1});
    ASSERT_TRUE(put_object(*store, pack_name(expected.back().name), Bytes(i + 1)).ok());
  }
  const auto repository = Repository::open(std::move(store), clock, options.secret, best_crypto_backend());
  ASSERT_TRUE(repository.ok());
  auto catalog = PackCatalog::load(**repository);
  ASSERT_TRUE(catalog.ok());
  for (std::uint64_t i = 50; i < 300; ++i) {
    expected.push_back({.name = random_digest(random), .bytes = i + 1});
    catalog->add(expected.back().name, i + 1);
    for (const PackInfo& pack : expected) {
      const PackInfo* const found = catalog->find(pack.name);
      ASSERT_NE(found, nullptr) << i;
      EXPECT_EQ(found->bytes, pack.bytes);
    }
  }
  EXPECT_EQ(catalog->find(random_digest(random)), nullptr);
  EXPECT_EQ(catalog->total_bytes(), 300U * 301 / 2);
  EXPECT_TRUE(std::is_sorted(catalog->packs().begin(), catalog->packs().end(),
                             [](const PackInfo& a, const PackInfo& b) { return a.name < b.name; }));
}

}  // namespace
}  // namespace drs
