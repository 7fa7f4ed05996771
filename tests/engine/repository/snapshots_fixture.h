// A repository in memory whose snapshots and marks a test puts by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/format/retention.h"
#include "engine/repository/snapshot_selection.h"
#include "engine/repository/snapshots.h"
#include "sinks/memory_store.h"
#include "tests/sinks/hook_store.h"

namespace drs::test {

inline const std::string kStream = "pg/app";

// The error code's name, or "ok".
template <typename T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

class SnapshotsFixture : public testing::Test {
 protected:
  void SetUp() override {
    InitOptions options;
    options.secret = {SlotKind::kRawKey, SecretBytes(32)};
    const auto store = make_memory_store(objects_);
    ASSERT_TRUE(Repository::init(*store, clock_, options).ok());
    auto opened = Repository::open(std::make_unique<HookStore>(make_memory_store(objects_), hook_), clock_,
                                   options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    repository_ = *std::move(opened);
  }

  SnapshotCatalog load(const std::optional<std::string>& stream = std::nullopt) {
    auto catalog = load_snapshots(*repository_, stream);
    EXPECT_TRUE(catalog.ok()) << catalog.error().message;
    return *std::move(catalog);
  }
  std::string name_of(const Uuid& session) { return manifest_name(repository_->keys().stream_tag(kStream), session); }
  std::string put(ObjectKind kind, const std::string& name, const Bytes& body) {
    objects_->insert(name, encode_document(repository_->keys(), kind, name, body), 0);
    return name;
  }
  std::string put(Manifest manifest) {
    manifest.stream = kStream;
    if (manifest.session.is_zero()) random_bytes(manifest.session.mutable_view());
    if (manifest.streams.empty()) manifest.set_stream({});
    return put(ObjectKind::kManifest, name_of(manifest.session), *encode_manifest(manifest));
  }
  // Puts the manifest that a push would put now. Returns its name.
  std::string push() {
    const SnapshotCatalog catalog = load(kStream);
    NextSnapshot next = catalog.next(kStream);
    Manifest manifest;
    manifest.sequence = next.sequence;
    manifest.unreadable = std::move(next.unreadable);
    if (next.predecessor != nullptr) {
      manifest.predecessor_name = next.predecessor->name;
      manifest.predecessor_digest = next.predecessor->digest;
    }
    return put(manifest);
  }
  void rot(const std::string& name) {
    Bytes bytes = *objects_->find(name)->bytes;
    bytes[bytes.size() / 2] ^= 1;
    objects_->damage(name, bytes);
  }
  void remove(const Snapshot& snapshot) {
    put(ObjectKind::kRemoved, removed_name(snapshot.name),
        encode_removed({snapshot.name, snapshot.digest, kStream, snapshot.manifest.sequence, 1, "test"}));
  }
  RetiredEntry entry_of(const Snapshot& snapshot) const {
    return {snapshot.manifest.session, snapshot.digest, snapshot.manifest.sequence, 77};
  }
  // Puts a retired object of the stream. Returns its name.
  std::string retire(std::vector<RetiredEntry> entries, Byte number = 1) {
    Retired retired;
    retired.tag = repository_->keys().stream_tag(kStream);
    retired.stream = kStream;
    retired.entries = std::move(entries);
    Uuid id;
    id.data.fill(number);
    return put(ObjectKind::kRetired, retired_name(retired.tag, id), encode_retired(retired));
  }
  // As a prune does with a removed snapshot: the manifest goes, then a retired object takes the place of the mark.
  std::string remove_and_retire(const Snapshot& snapshot, Byte number = 1) {
    objects_->erase(snapshot.name);
    objects_->erase(removed_name(snapshot.name));
    return retire({entry_of(snapshot)}, number);
  }
  Result<const Snapshot*> latest(const SnapshotCatalog& catalog) {
    Selector selector;
    selector.text = selector.stream = kStream;
    return select_snapshot(catalog, selector);
  }

  SystemClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<StoreHook> hook_ = std::make_shared<StoreHook>();
  std::unique_ptr<Repository> repository_;
};

}  // namespace drs::test
