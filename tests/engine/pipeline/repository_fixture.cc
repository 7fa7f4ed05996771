#include "tests/engine/pipeline/repository_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "codecs/hmac_sha256.h"
#include "codecs/random.h"
#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/format/recipe.h"
#include "sinks/forwarding_store.h"

namespace drs::test {
namespace {

// A store whose gets can fail and complete in a random order.
class FaultyStore final : public ForwardingStore {
 public:
  FaultyStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<ReadFaults> faults)
      : ForwardingStore(std::move(inner)), faults_(std::move(faults)) {}

  void get(GetOperation& operation) override { held_.push_back(&operation); }

  Result<std::size_t> run(bool wait) override {
    std::vector<std::pair<GetOperation*, Error>> failed;
    {
      const std::lock_guard lock(faults_->mutex);
      std::shuffle(held_.begin(), held_.end(), faults_->order);
      const std::size_t count = held_.empty() ? 0 : 1 + faults_->order() % held_.size();
      for (std::size_t i = 0; i < count; ++i) {
        GetOperation* const get = held_.back();
        held_.pop_back();
        ++faults_->gets;
        auto error = faults_->fail ? faults_->fail(*get) : std::nullopt;
        if (error) {
          failed.emplace_back(get, *std::move(error));
        } else {
          inner().get(*get);
        }
      }
    }
    for (auto& [get, error] : failed) {
      get->result = std::move(error);
      get->done(*get);
    }
    auto done = inner().run(wait && failed.empty());
    if (done.ok()) *done += failed.size();
    return done;
  }
  [[nodiscard]] std::size_t in_flight() const override { return held_.size() + inner().in_flight(); }
  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    for (const std::string_view prefix : prefixes) {
      if (faults_->before_list) faults_->before_list(prefix);
      DRS_RETURN_IF_ERROR(inner().list(prefix, visit));
    }
    return {};
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<FaultyStore>(std::move(inner), faults_));
  }

  std::shared_ptr<ReadFaults> faults_;
  std::vector<GetOperation*> held_;
};

Secret test_secret() {
  return {SlotKind::kRawKey, SecretBytes::copy_of(Bytes(32, 0x42))};
}

}  // namespace

RepositoryFixture::RepositoryFixture() {
  random_bytes(session_.mutable_view());
  const auto store = make_memory_store(objects_, &clock_);
  InitOptions options;
  options.secret = test_secret();
  const auto created = Repository::init(*store, clock_, options);
  DRS_ASSERT(created.ok(), "the test repository cannot be made");
  repository_ = open(clock_);
}

std::unique_ptr<Repository> RepositoryFixture::open(const Clock& clock) const {
  auto opened = Repository::open(std::make_unique<FaultyStore>(make_memory_store(objects_, &clock_), faults_), clock,
                                 test_secret(), best_crypto_backend());
  DRS_ASSERT(opened.ok(), "the test repository cannot be opened");
  return *std::move(opened);
}

void RepositoryFixture::append(BlockRecord record, ByteView plain, std::vector<ChunkEntry> chunks, bool raw) {
  if (!sealer_) {
    sealer_ = std::make_unique<ObjectSealer>(repository_->keys(), ObjectKind::kPack, "", repository_->crypto());
    encode_envelope(sealer_->envelope(), pack_);
  }
  Bytes compressed(plain.size());
  auto compressor = Compressor::make({raw ? Codec::kRaw : Codec::kZstd, raw ? 0 : 1}, kBlockBytesMax);
  const auto output = compressor->compress(plain, compressed);
  record.codec = output->codec;
  const ByteView stored = record.codec == Codec::kRaw ? plain : ByteView(compressed).first(output->bytes);
  record.offset_bytes = static_cast<std::uint32_t>(pack_.size());
  record.sealed_bytes = static_cast<std::uint32_t>(stored.size() + kSealBytes);
  record.raw_bytes = static_cast<std::uint32_t>(plain.size());
  record.ordinal = sealer_->next_ordinal();
  record.xxh3 = xxh3_128(plain);
  record.chunk_count = static_cast<std::uint16_t>(chunks.size());
  sealer_->append(record.label(), stored, pack_);
  table_.push_back({record, std::move(chunks)});
}

BlockId RepositoryFixture::add_block(const std::vector<Bytes>& chunks, bool raw) {
  return add_block(next_id(), chunks, chunks, raw);
}

BlockId RepositoryFixture::add_lying_block(const std::vector<Bytes>& chunks, const std::vector<Bytes>& claimed) {
  return add_block(next_id(), chunks, claimed, false);
}

void RepositoryFixture::add_copy(const BlockId& block) {
  const std::vector<Bytes> chunks = blocks_.at(block);
  add_block(block, chunks, chunks, false);
}

BlockId RepositoryFixture::add_block(const BlockId& id, const std::vector<Bytes>& chunks,
                                     const std::vector<Bytes>& claimed, bool raw) {
  blocks_[id] = chunks;
  Bytes plain;
  for (const Bytes& chunk : chunks) plain.insert(plain.end(), chunk.begin(), chunk.end());
  std::vector<ChunkEntry> entries;
  for (const Bytes& chunk : claimed) {
    entries.push_back({hmac_sha256(repository_->keys().chunk_id(), chunk), static_cast<std::uint16_t>(chunk.size())});
  }
  BlockRecord record;
  record.id = id;
  append(record, plain, std::move(entries), raw);
  return id;
}

Digest RepositoryFixture::close_pack() {
  DRS_ASSERT(sealer_ != nullptr, "the pack has no blocks");
  const Bytes tail = encode_pack_tail(*sealer_, table_);
  pack_.insert(pack_.end(), tail.begin(), tail.end());
  const Digest name = sha256(pack_);
  packs_[name] = {{name, pack_.size(), sealer_->envelope().salt}, std::move(table_)};
  objects_->insert(pack_name(name), std::move(pack_), 0);
  sealer_.reset();
  pack_ = {};
  table_ = {};
  return name;
}

std::string RepositoryFixture::add_index(const std::vector<Digest>& packs) {
  std::vector<PackContents> contents;
  for (const Digest& pack : packs) contents.push_back(packs_.at(pack));
  Bytes object = encode_index(repository_->keys(), repository_->crypto(), contents, clock_.wall_ns());
  std::string name = index_name(sha256(object));
  objects_->insert(name, std::move(object), 0);
  return name;
}

Snapshot RepositoryFixture::add_snapshot(const std::string& stream, const std::vector<Piece>& pieces,
                                         std::size_t pieces_per_part) {
  Manifest manifest;
  ManifestStream only;
  manifest.stream = stream;
  random_bytes(manifest.session.mutable_view());
  manifest.sequence = ++sequence_;
  manifest.config_digest = repository_->config_digest();
  for (std::size_t at = 0; at < pieces.size(); at += pieces_per_part) {
    RecipePart part;
    part.stream_offset_bytes = only.bytes;
    for (std::size_t i = at; i < std::min(at + pieces_per_part, pieces.size()); ++i) {
      const Piece& piece = pieces[i];
      auto place = std::find(part.blocks.begin(), part.blocks.end(), piece.block);
      if (place == part.blocks.end()) place = part.blocks.insert(place, piece.block);
      Run run{.block = static_cast<std::uint32_t>(place - part.blocks.begin()),
              .chunk_first = piece.chunk_first,
              .chunk_count = piece.chunk_count};
      const std::vector<Bytes>& chunks = blocks_.at(piece.block);
      for (std::uint32_t c = 0; c < piece.chunk_first; ++c) {
        run.offset_bytes += static_cast<std::uint32_t>(chunks[c].size());
      }
      for (std::uint32_t c = 0; c < piece.chunk_count; ++c) run.bytes += chunks.at(piece.chunk_first + c).size();
      part.stream_bytes += run.bytes;
      only.chunk_count += piece.chunk_count;
      part.runs.push_back(run);
    }
    only.bytes += part.stream_bytes;
    BlockRecord record;
    record.id = next_id();
    record.kind = BlockKind::kRecipe;
    append(record, encode_recipe_part(part), {}, false);
    only.parts.push_back({record.id, part.stream_offset_bytes, part.stream_bytes});
  }
  if (sealer_) close_pack();
  const Bytes whole = stream_of(pieces);
  only.session = manifest.session;
  only.sha256 = sha256(whole);
  only.xxh3 = xxh3_128(whole);
  manifest.set_stream(std::move(only));
  return store_manifest(std::move(manifest));
}

Snapshot RepositoryFixture::store_manifest(Manifest manifest) {
  std::string name = manifest_name(repository_->keys().stream_tag(manifest.stream), manifest.session);
  Bytes object = encode_document(repository_->keys(), ObjectKind::kManifest, name, *encode_manifest(manifest));
  const Digest digest = document_identity(object);
  objects_->damage(name, std::move(object));
  return {std::move(name), digest, static_cast<ManifestHeader&&>(manifest)};
}

Snapshot RepositoryFixture::change_manifest(const Snapshot& snapshot, const std::function<void(Manifest&)>& change) {
  auto manifest = read_manifest(*repository_, repository_->store(), snapshot);
  DRS_ASSERT(manifest.ok(), "the manifest can be read");
  change(*manifest);
  return store_manifest(*std::move(manifest));
}

Bytes RepositoryFixture::stream_of(const std::vector<Piece>& pieces) const {
  Bytes stream;
  for (const Piece& piece : pieces) {
    for (std::uint32_t c = 0; c < piece.chunk_count; ++c) {
      const Bytes& chunk = blocks_.at(piece.block).at(piece.chunk_first + c);
      stream.insert(stream.end(), chunk.begin(), chunk.end());
    }
  }
  return stream;
}

void RepositoryFixture::damage(const std::string& name, std::size_t offset) {
  Bytes bytes = *objects_->find(name)->bytes;
  bytes.at(offset) ^= 0x10;
  objects_->damage(name, std::move(bytes));
}

Result<void> CollectingSink::write(ByteView more) {
  if (on_write) on_write();
  if (cancels > 0) return Error(ErrorCode::kCancelled, "cancelled");
  if (fail_after_bytes && bytes.size() + more.size() > *fail_after_bytes) {
    return Error(ErrorCode::kSinkClosed, "the reader went away");
  }
  bytes.insert(bytes.end(), more.begin(), more.end());
  return {};
}

Result<void> CollectingSink::commit() {
  ++commits;
  if (!on_commit) return {};
  on_commit();
  if (cancels > 0) return Error(ErrorCode::kCancelled, "cancelled");
  return {};
}

void CollectingSink::cancel() {
  ++cancels;
}

Bytes plain_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  Bytes bytes(size);
  for (Byte& byte : bytes) byte = static_cast<Byte>("abcdefghijklmnopqrstuvwxyz012345"[generator() % 32]);
  return bytes;
}

}  // namespace drs::test
