#include "bench/synthetic_repository.h"

#include <algorithm>

#include "codecs/random.h"
#include "engine/format/index_layout.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/pack_writer.h"
#include "sinks/forwarding_store.h"
#include "sinks/object_io.h"

namespace drs::bench {
namespace {

constexpr std::uint64_t kUnitsPerSession = 64;
constexpr std::size_t kListPlainBytes = kBlockChunks * kChunkEntryBytes;
constexpr std::size_t kListBytes = kListPlainBytes + kSealBytes;
constexpr std::size_t kNamesAtOnce = 1000;  // listed and removed by one request

// SplitMix64 (Steele et al., OOPSLA 2014): a bijection whose outputs pass for uniform.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

// What numbers are drawn for, so that no two draws are alike.
enum class Draw : std::uint64_t { kPack = 1, kUnit = 2, kSession = 3, kSalt = 4, kChunk = 5 };

std::uint64_t salted(Draw draw, std::uint64_t number) {
  return mixed(number) ^ (static_cast<std::uint64_t>(draw) << 60);
}

// The first word is uniform, the second is the number itself, for finding it again.
template <std::size_t N>
FixedBytes<N> drawn(Draw draw, std::uint64_t number) {
  FixedBytes<N> out;
  for (std::size_t word = 0; word < N / 8; ++word) {
    const std::uint64_t value = word == 1 ? number : mixed(salted(draw, number) + word);
    std::memcpy(out.data.data() + word * 8, &value, sizeof value);
  }
  return out;
}

std::uint64_t number_of(const Digest& digest) {
  std::uint64_t number;
  std::memcpy(&number, digest.data.data() + 8, sizeof number);
  return number;
}

std::uint64_t chunk_number(std::uint64_t block, std::size_t chunk) {
  return block * kBlockChunks + chunk;
}

// One step only: words are made by the billion.
std::uint64_t word_of(std::uint64_t block, std::size_t chunk) {
  return mixed(chunk_number(block, chunk));
}

std::vector<ChunkEntry> chunks_of(std::uint64_t block) {
  std::vector<ChunkEntry> chunks(kBlockChunks);
  for (std::size_t i = 0; i < kBlockChunks; ++i)
    chunks[i] = {SyntheticObjects::chunk_id(block, i), kSyntheticChunkBytes};
  return chunks;
}

// The part of `section`, which lies at `section_offset_bytes` of an object, that a read from `offset_bytes` wants.
void copy_overlap(ByteView section, std::uint64_t section_offset_bytes, std::uint64_t offset_bytes,
                  MutableByteView out) {
  const std::uint64_t begin = std::max(section_offset_bytes, offset_bytes);
  const std::uint64_t end = std::min(section_offset_bytes + section.size(), offset_bytes + out.size());
  if (begin >= end) return;
  std::copy_n(section.begin() + static_cast<std::ptrdiff_t>(begin - section_offset_bytes), end - begin,
              out.begin() + static_cast<std::ptrdiff_t>(begin - offset_bytes));
}

}  // namespace

struct SyntheticObjects::Sections {
  Sections(std::uint64_t number, const RepositoryKeys& keys, CryptoBackend crypto, const Salt& salt)
      : unit(number), sealer(keys, ObjectKind::kIndex, "", crypto, &salt) {}
  std::uint64_t unit;
  ObjectSealer sealer;
  IndexSummary summary;
  Bytes directory;  // sealed; empty until wanted
  Bytes hooks;      // likewise
  Bytes tail;       // summary and footer
};

SyntheticObjects::SyntheticObjects(const RepositoryShape& shape, const RepositoryKeys& keys, CryptoBackend crypto)
    : keys_(keys), crypto_(crypto) {
  sealed_bytes_ = static_cast<std::uint32_t>(static_cast<double>(kBlockBytesMax) / std::max(1.0, shape.compression)) +
                  static_cast<std::uint32_t>(kSealBytes);
  // As PackWriter closes packs and index objects.
  const auto pack_bytes = [&](std::size_t blocks) {
    return kEnvelopeBytes + blocks * sealed_bytes_ +
           pack_tail_bytes({.sessions = 1, .blocks = blocks, .chunks = blocks * kBlockChunks});
  };
  blocks_per_pack_ = 1;
  while (blocks_per_pack_ < kPackBlocksMax && pack_bytes(blocks_per_pack_ + 1) <= shape.pack_bytes_target)
    ++blocks_per_pack_;
  pack_bytes_ = pack_bytes(blocks_per_pack_);
  const std::size_t pending_bytes = sizeof(TableBlock) + kBlockChunks * sizeof(ChunkEntry);
  packs_per_unit_ = 1;
  while (blocks_per_unit() * pending_bytes < PackWriter::Options{}.index_pending_bytes_max) ++packs_per_unit_;
  const std::uint64_t unit_plain_bytes = blocks_per_unit() * kBlockBytesMax;
  unit_count_ = (shape.plain_bytes + unit_plain_bytes - 1) / unit_plain_bytes;

  hook_counts_.resize(unit_count_);
  std::uint64_t block = 0;
  for (std::uint32_t& count : hook_counts_)
    for (const std::uint64_t end = block + blocks_per_unit(); block < end; ++block)
      for (std::size_t i = 0; i < kBlockChunks; ++i) count += is_hook(word_of(block, i)) ? 1U : 0U;
}

SyntheticObjects::~SyntheticObjects() = default;

Digest SyntheticObjects::pack_digest(std::uint64_t pack) {
  return drawn<32>(Draw::kPack, pack);
}
Digest SyntheticObjects::unit_digest(std::uint64_t unit) {
  return drawn<32>(Draw::kUnit, unit);
}
Salt SyntheticObjects::unit_salt(std::uint64_t unit) {
  return drawn<32>(Draw::kSalt, unit);
}

ChunkId SyntheticObjects::chunk_id(std::uint64_t block, std::size_t chunk) {
  ChunkId id = drawn<32>(Draw::kChunk, chunk_number(block, chunk));
  const std::uint64_t word = word_of(block, chunk);
  std::memcpy(id.data.data(), &word, sizeof word);
  return id;
}

BlockId SyntheticObjects::block_id(std::uint64_t block) const {
  const std::uint64_t blocks_per_session = kUnitsPerSession * blocks_per_unit();
  return {drawn<16>(Draw::kSession, block / blocks_per_session), block % blocks_per_session};
}

BlockRecord SyntheticObjects::record(std::uint64_t block) const {
  const std::uint64_t ordinal = block % blocks_per_pack_;
  BlockRecord record;
  record.id = block_id(block);
  record.codec = sealed_bytes_ < kBlockBytesMax ? Codec::kZstd : Codec::kRaw;
  record.offset_bytes = static_cast<std::uint32_t>(kEnvelopeBytes + ordinal * sealed_bytes_);
  record.sealed_bytes = sealed_bytes_;
  record.raw_bytes = kBlockBytesMax;
  record.ordinal = ordinal;
  record.chunk_count = kBlockChunks;
  return record;
}

IndexSummary SyntheticObjects::summary(std::uint64_t unit) const {
  const std::uint64_t first = unit * blocks_per_unit();
  IndexSummary summary;
  for (std::uint64_t i = 0; i < packs_per_unit_; ++i) {
    const std::uint64_t pack = unit * packs_per_unit_ + i;
    summary.packs.push_back({pack_digest(pack), pack_bytes_, drawn<32>(Draw::kPack, pack)});
  }
  const BlockId id = block_id(first);
  summary.block_count = static_cast<std::uint32_t>(blocks_per_unit());
  summary.sessions = {{id.session, id.counter, id.counter + summary.block_count - 1, summary.block_count}};
  summary.chunk_count = blocks_per_unit() * kBlockChunks;
  summary.directory_offset_bytes = kEnvelopeBytes + blocks_per_unit() * kListBytes;
  summary.directory_sealed_bytes = static_cast<std::uint32_t>(blocks_per_unit() * kDirectoryEntryBytes + kSealBytes);
  summary.hooks_offset_bytes = summary.directory_offset_bytes + summary.directory_sealed_bytes;
  summary.hooks_sealed_bytes = static_cast<std::uint32_t>(hook_counts_[unit] * kHookBytes + kHooksSealedBytesMin);
  return summary;
}

std::uint64_t SyntheticObjects::unit_bytes(std::uint64_t unit) const {
  const IndexSummary layout = summary(unit);
  return layout.hooks_offset_bytes + layout.hooks_sealed_bytes + encode_index_summary(layout).size() + kSealBytes +
         kIndexFooterBytes;
}

std::vector<PackContents> SyntheticObjects::contents(std::uint64_t unit) const {
  std::vector<PackContents> packs;
  std::uint64_t block = unit * blocks_per_unit();
  for (const IndexedPack& pack : summary(unit).packs) {
    packs.push_back({pack, {}});
    for (std::uint64_t i = 0; i < blocks_per_pack_; ++i, ++block)
      packs.back().blocks.push_back({record(block), chunks_of(block)});
  }
  return packs;
}

std::vector<TableBlock> SyntheticObjects::pack_table(std::uint64_t pack) const {
  std::vector<TableBlock> blocks;
  for (std::uint64_t block = pack * blocks_per_pack_; blocks.size() < blocks_per_pack_; ++block)
    blocks.push_back({record(block), chunks_of(block)});
  return blocks;
}

std::size_t SyntheticObjects::read_pack(std::uint64_t pack, std::uint64_t offset_bytes, MutableByteView out) const {
  const Salt salt = drawn<32>(Draw::kPack, pack);
  ObjectSealer sealer(keys_, ObjectKind::kPack, "", crypto_, &salt);
  for (std::uint64_t block = 0; block < blocks_per_pack_; ++block) sealer.next_ordinal();
  std::ranges::fill(out, Byte{0});
  Bytes envelope;
  encode_envelope(sealer.envelope(), envelope);
  copy_overlap(envelope, 0, offset_bytes, out);
  if (offset_bytes + out.size() > kEnvelopeBytes + blocks_per_pack_ * sealed_bytes_) {
    const Bytes tail = encode_pack_tail(sealer, pack_table(pack));
    copy_overlap(tail, pack_bytes_ - tail.size(), offset_bytes, out);
  }
  return offset_bytes >= pack_bytes_ ? 0 : std::min<std::uint64_t>(out.size(), pack_bytes_ - offset_bytes);
}

SyntheticObjects::Sections& SyntheticObjects::sections(std::uint64_t unit) {
  if (!sections_ || sections_->unit != unit) {
    sections_ = std::make_unique<Sections>(unit, keys_, crypto_, unit_salt(unit));
    sections_->summary = summary(unit);
  }
  return *sections_;
}

std::size_t SyntheticObjects::read(std::uint64_t unit, std::uint64_t offset_bytes, MutableByteView out) {
  Sections& parts = sections(unit);
  const IndexSummary& layout = parts.summary;
  const std::uint64_t first_block = unit * blocks_per_unit();
  const std::uint64_t end = offset_bytes + out.size();

  if (offset_bytes < kEnvelopeBytes) {
    Bytes envelope;
    encode_envelope(parts.sealer.envelope(), envelope);
    copy_overlap(envelope, 0, offset_bytes, out);
  }
  if (offset_bytes < layout.directory_offset_bytes && end > kEnvelopeBytes) {
    std::uint64_t i = offset_bytes < kEnvelopeBytes ? 0 : (offset_bytes - kEnvelopeBytes) / kListBytes;
    Bytes sealed(kListBytes);
    for (; i < layout.block_count && kEnvelopeBytes + i * kListBytes < end; ++i) {
      parts.sealer.seal(chunk_list_label(static_cast<std::uint32_t>(i), kBlockChunks),
                        encode_chunk_list(chunks_of(first_block + i)), sealed);
      copy_overlap(sealed, kEnvelopeBytes + i * kListBytes, offset_bytes, out);
    }
  }
  if (offset_bytes < layout.hooks_offset_bytes && end > layout.directory_offset_bytes) {
    if (parts.directory.empty()) {
      std::vector<DirectoryEntry> directory;
      for (std::uint64_t i = 0; i < layout.block_count; ++i)
        directory.push_back({static_cast<std::uint32_t>(i / blocks_per_pack_), record(first_block + i),
                             kEnvelopeBytes + i * kListBytes});
      parts.sealer.append(directory_label(layout), encode_index_directory(directory, layout), parts.directory);
    }
    copy_overlap(parts.directory, layout.directory_offset_bytes, offset_bytes, out);
  }
  const std::uint64_t tail_offset_bytes = layout.hooks_offset_bytes + layout.hooks_sealed_bytes;
  if (offset_bytes < tail_offset_bytes && end > layout.hooks_offset_bytes) {
    if (parts.hooks.empty()) {
      std::vector<Hook> hooks;
      for (std::uint32_t block = 0; block < layout.block_count; ++block)
        for (std::uint16_t i = 0; i < kBlockChunks; ++i)
          if (const std::uint64_t word = word_of(first_block + block, i); is_hook(word))
            hooks.push_back({word, block, i});
      parts.sealer.append(hooks_label(layout), encode_index_hooks(hooks), parts.hooks);
    }
    copy_overlap(parts.hooks, layout.hooks_offset_bytes, offset_bytes, out);
  }
  if (parts.tail.empty()) {
    const Bytes plain = encode_index_summary(layout);
    const IndexFooter footer{.summary_ordinal = std::uint64_t{layout.block_count} + 2,
                             .summary_sealed_bytes = static_cast<std::uint32_t>(plain.size() + kSealBytes)};
    parts.sealer.append(summary_label(footer), plain, parts.tail);
    ByteWriter writer(parts.tail);
    writer.u64(footer.summary_ordinal);
    writer.u32(footer.summary_sealed_bytes);
  }
  copy_overlap(parts.tail, tail_offset_bytes, offset_bytes, out);
  const std::uint64_t object_bytes = tail_offset_bytes + parts.tail.size();
  return offset_bytes >= object_bytes ? 0 : std::min<std::uint64_t>(out.size(), object_bytes - offset_bytes);
}

namespace {

// Real objects from memory, packs and index objects from SyntheticObjects.
class SyntheticStore final : public ForwardingStore {
 public:
  SyntheticStore(std::shared_ptr<SyntheticObjects> objects, std::unique_ptr<ObjectStore> real)
      : ForwardingStore(std::move(real)), objects_(std::move(objects)) {}

  void get(GetOperation& operation) override { gets_.push_back(&operation); }
  void put(PutOperation& operation) override {
    ++objects_->work.puts;
    for (const ByteView piece : operation.body) objects_->work.put_bytes += piece.size();
    ForwardingStore::put(operation);
  }

  Result<std::size_t> run(bool wait) override {
    const auto gets = std::exchange(gets_, {});
    for (GetOperation* get : gets) {
      const auto start = thread_cpu_time();
      ++objects_->work.requests;
      objects_->work.bytes += get->destination.size();
      get->result = answer(*get);
      objects_->work.spent += thread_cpu_time() - start;
      get->done(*get);
    }
    DRS_ASSIGN_OR_RETURN(const std::size_t others, inner().run(wait && gets.empty()));
    return gets.size() + others;
  }
  [[nodiscard]] std::size_t in_flight() const override { return gets_.size() + inner().in_flight(); }

  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    std::uint64_t names = 0;
    const Visit counted = [&](const ObjectInfo& info) {
      ++names;
      return visit(info);
    };
    DRS_RETURN_IF_ERROR(inner().list_together(prefixes, counted));
    for (const std::string_view prefix : prefixes) DRS_RETURN_IF_ERROR(list_synthetic(prefix, counted));
    objects_->work.lists += prefixes.size() + names / kNamesAtOnce;
    return {};
  }
  Result<void> remove(const ObjectKey& key) override {
    ++objects_->work.removes;
    if (!synthetic(key)) return inner().remove(key);
    objects_->removed.insert(parse_name(key)->digest);
    return {};
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    objects_->work.removes += (keys.size() + kNamesAtOnce - 1) / kNamesAtOnce;
    std::vector<ObjectKey> real;
    for (const ObjectKey& key : keys) {
      if (synthetic(key))
        objects_->removed.insert(parse_name(key)->digest);
      else
        real.push_back(key);
    }
    return inner().remove_all(real);
  }
  // The computed objects serve one thread.
  [[nodiscard]] StoreTraits traits() const override { return {}; }
  [[nodiscard]] StoreDescription describe() const override { return {"synthetic", "computed"}; }

 private:
  struct Computed {
    ObjectKind kind;
    std::uint64_t number;
  };

  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> real) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<SyntheticStore>(objects_, std::move(real)));
  }

  Result<std::size_t> answer(const GetOperation& get) {
    const auto computed = synthetic(get.key);
    if (!computed) {
      const Result<void> got = get_range(inner(), get.key, get.offset_bytes, get.destination);
      return got.ok() ? Result<std::size_t>(get.destination.size()) : got.error();
    }
    if (objects_->removed.contains(parse_name(get.key)->digest))
      return Error(ErrorCode::kNotFound, get.key + " does not exist");
    return computed->kind == ObjectKind::kIndex
               ? objects_->read(computed->number, get.offset_bytes, get.destination)
               : objects_->read_pack(computed->number, get.offset_bytes, get.destination);
  }

  Result<void> list_synthetic(std::string_view prefix, const Visit& visit) {
    const Visit visit_left = [&](const ObjectInfo& info) -> Result<void> {
      return objects_->removed.contains(parse_name(info.key)->digest) ? Result<void>() : visit(info);
    };
    if (prefix == "packs/")
      return list_numbered(objects_->pack_count(), visit_left, [&](std::uint64_t pack) {
        return ObjectInfo{pack_name(SyntheticObjects::pack_digest(pack)), objects_->pack_bytes()};
      });
    if (prefix == "index/")
      return list_numbered(objects_->unit_count(), visit_left, [&](std::uint64_t unit) {
        return ObjectInfo{index_name(SyntheticObjects::unit_digest(unit)), objects_->unit_bytes(unit)};
      });
    return {};
  }
  [[nodiscard]] std::optional<Computed> synthetic(const ObjectKey& key) const {
    const auto parsed = parse_name(key);
    if (!parsed) return std::nullopt;
    const std::uint64_t number = number_of(parsed->digest);
    if (parsed->kind == ObjectKind::kIndex && number < objects_->unit_count() &&
        parsed->digest == SyntheticObjects::unit_digest(number))
      return Computed{parsed->kind, number};
    if (parsed->kind == ObjectKind::kPack && number < objects_->pack_count() &&
        parsed->digest == SyntheticObjects::pack_digest(number))
      return Computed{parsed->kind, number};
    return std::nullopt;
  }
  template <typename Make>
  Result<void> list_numbered(std::uint64_t count, const std::function<Result<void>(const ObjectInfo&)>& visit,
                             const Make& make) {
    std::vector<ObjectInfo> infos;
    for (std::uint64_t at = 0; at < count; at += infos.size()) {
      const auto start = thread_cpu_time();
      infos.clear();
      for (std::uint64_t i = at; i < count && infos.size() < kNamesAtOnce; ++i) infos.push_back(make(i));
      objects_->work.spent += thread_cpu_time() - start;
      for (const ObjectInfo& info : infos) DRS_RETURN_IF_ERROR(visit(info));
    }
    return {};
  }

  const std::shared_ptr<SyntheticObjects> objects_;
  std::vector<GetOperation*> gets_;
};

}  // namespace

Result<std::unique_ptr<SyntheticRepository>> make_synthetic_repository(const RepositoryShape& shape) {
  auto made = std::make_unique<SyntheticRepository>();
  InitOptions init;
  init.secret.kind = SlotKind::kRawKey;
  init.secret.bytes = SecretBytes(32);
  random_bytes(init.secret.bytes.mutable_view());
  const CryptoBackend crypto = best_crypto_backend();
  auto store = make_memory_store(made->real, &made->clock);
  DRS_RETURN_IF_ERROR(Repository::init(*store, made->clock, init));
  DRS_ASSIGN_OR_RETURN(made->keeper, Repository::open(std::move(store), made->clock, init.secret, crypto));
  made->objects = std::make_shared<SyntheticObjects>(shape, made->keeper->keys(), crypto);
  DRS_ASSIGN_OR_RETURN(
      made->repository,
      Repository::open(std::make_unique<SyntheticStore>(made->objects, make_memory_store(made->real, &made->clock)),
                       made->clock, init.secret, crypto));
  // What is computed piece by piece is what the engine's own encoder makes.
  const std::uint64_t unit = made->objects->unit_count() - 1;
  const Salt salt = SyntheticObjects::unit_salt(unit);
  const Bytes encoded = encode_index(made->keeper->keys(), crypto, made->objects->contents(unit), 0, &salt);
  Bytes computed(encoded.size() + 1);
  computed.resize(made->objects->read(unit, 0, computed));
  if (computed != encoded || encoded.size() != made->objects->unit_bytes(unit))
    return Error(ErrorCode::kInternal, "the computed index object is not the one that encode_index makes");
  return made;
}

}  // namespace drs::bench
