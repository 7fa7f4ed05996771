// Objects that a forger without the keys could write: changed at random, with all digests and names recomputed that
// need no key. None may be accepted with a different meaning than the original object.
//
//   DRSTREAM_TEST_FULL=1 format_test --gtest_filter='ForgedObjects.*'         a million forgeries, about a minute
//   DRSTREAM_TEST_SEED=N                                                      other forgeries than those of seed 1
//   DRSTREAM_TEST_PART=I/N                                                    a part of them
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/index.h"
#include "engine/format/names.h"
#include "tests/campaign.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

// All data that a reader takes from an accepted object.
using Meaning = Result<Bytes>;

Meaning meaning_of_slot(ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Slot slot, decode_slot(object));
  // scrypt takes half a second.
  if (slot.kind == SlotKind::kPassphrase) return Error(ErrorCode::kWrongKey, "not tried");
  DRS_ASSIGN_OR_RETURN(const SecretBytes master, unlock_slot(object, golden::raw_key()));
  Bytes meaning(master.view().begin(), master.view().end());
  ByteWriter writer(meaning);
  writer.raw(slot.repository.view());
  writer.u8(static_cast<std::uint8_t>(slot.kind));
  writer.short_string(slot.label);
  writer.i64(slot.created_ns);
  return meaning;
}

Meaning meaning_of_pack(ByteView object) {
  const RepositoryKeys keys = golden::keys();
  const ByteView head = object.first(std::min(object.size(), kEnvelopeBytes));
  DRS_ASSIGN_OR_RETURN(const Envelope envelope, decode_envelope(head, ObjectKind::kPack));
  DRS_ASSIGN_OR_RETURN(const ObjectOpener opener, ObjectOpener::make(keys, envelope, "", CryptoBackend::kOpenssl));
  DRS_ASSIGN_OR_RETURN(const auto blocks, open_pack_table(keys, CryptoBackend::kOpenssl, head, object, object.size(),
                                                          golden::config().chunks));
  DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
  Bytes meaning = encode_pack_table(blocks);
  for (const TableBlock& block : blocks) {
    Bytes plain(block.record.raw_bytes);
    Bytes scratch(block.record.sealed_bytes);
    DRS_RETURN_IF_ERROR(decode_block(opener, block.record,
                                     object.subspan(block.record.offset_bytes, block.record.sealed_bytes), decompressor,
                                     scratch, plain));
    meaning.insert(meaning.end(), plain.begin(), plain.end());
  }
  return meaning;
}

Meaning meaning_of_index(ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Envelope envelope,
                       decode_envelope(object.first(std::min(object.size(), kEnvelopeBytes)), ObjectKind::kIndex));
  DRS_ASSIGN_OR_RETURN(const ObjectOpener opener,
                       ObjectOpener::make(golden::keys(), envelope, "", CryptoBackend::kOpenssl));
  if (object.size() < kEnvelopeBytes + kIndexFooterBytes) return Error(ErrorCode::kTruncated, "shorter than its ends");
  DRS_ASSIGN_OR_RETURN(const IndexFooter footer, decode_index_footer(object.last(kIndexFooterBytes), object.size()));
  const ByteView before = object.first(object.size() - kIndexFooterBytes);
  DRS_ASSIGN_OR_RETURN(Bytes meaning, opener.open(summary_label(footer), before.last(footer.summary_sealed_bytes)));
  DRS_ASSIGN_OR_RETURN(const IndexSummary summary, decode_index_summary(meaning, object.size()));
  const auto add = [&](const Bytes& section) { meaning.insert(meaning.end(), section.begin(), section.end()); };
  DRS_ASSIGN_OR_RETURN(
      const Bytes hooks,
      opener.open(hooks_label(summary),
                  object.subspan(static_cast<std::size_t>(summary.hooks_offset_bytes), summary.hooks_sealed_bytes)));
  DRS_RETURN_IF_ERROR(decode_index_hooks(hooks, summary));
  add(hooks);
  DRS_ASSIGN_OR_RETURN(
      const Bytes plain,
      opener.open(directory_label(summary), object.subspan(static_cast<std::size_t>(summary.directory_offset_bytes),
                                                           summary.directory_sealed_bytes)));
  DRS_ASSIGN_OR_RETURN(const auto directory, decode_index_directory(plain, summary));
  add(plain);
  for (std::uint32_t i = 0; i < directory.size(); ++i) {
    const BlockRecord& record = directory[i].record;
    if (record.chunk_count == 0) continue;
    const std::size_t bytes = record.chunk_count * kChunkEntryBytes + kSealBytes;
    DRS_ASSIGN_OR_RETURN(const Bytes list,
                         opener.open(chunk_list_label(i, record.chunk_count),
                                     object.subspan(static_cast<std::size_t>(directory[i].list_offset_bytes), bytes)));
    DRS_RETURN_IF_ERROR(decode_chunk_list(list, record.raw_bytes));
    add(list);
  }
  return meaning;
}

Meaning meaning_of(ObjectKind kind, const std::string& name, ByteView object) {
  switch (kind) {
    case ObjectKind::kPack: return meaning_of_pack(object);
    case ObjectKind::kIndex: return meaning_of_index(object);
    case ObjectKind::kSlot: return meaning_of_slot(object);
    default: return decode_document(golden::keys(), kind, name, object);
  }
}

struct Original {
  std::string name;
  ObjectKind kind;
  Bytes object;
  Bytes meaning;
};

std::vector<Original> originals() {
  std::map<std::string, Bytes> objects = golden::reproducible_objects();
  std::vector<PackContents> contents;
  const std::pair<const char*, std::vector<golden::PlainBlock>> packs[] = {
      {"raw pack", golden::raw_pack_blocks()}, {"compressed pack", golden::compressed_pack_blocks()}};
  for (const auto& [label, blocks] : packs) {
    const golden::BuiltPack pack = golden::build_pack(label, blocks);
    objects[pack_name(sha256(pack.object))] = pack.object;
    contents.push_back(golden::contents_of(pack.object, pack.table));
  }
  const Bytes index = golden::index_object(contents);
  objects[index_name(sha256(index))] = index;

  std::vector<Original> found;
  for (const auto& [name, object] : objects) {
    // The kind is taken from the envelope: a fence has the name of a manifest.
    const auto kind = static_cast<ObjectKind>(object[6]);
    const bool is_mark = name.starts_with("damaged/");  // needs no key: anyone may write one
    // The clear slot and the topics manifest are not part of an encrypted repository with one stream.
    if (is_mark || name == golden::topics_file() || name == golden::clear_slot_file()) continue;
    auto meaning = meaning_of(kind, name, object);
    if (kind == ObjectKind::kSlot && !meaning.ok()) continue;  // the passphrase slot
    EXPECT_TRUE(meaning.ok()) << name << ": " << (meaning.ok() ? "" : meaning.error().message);
    if (meaning.ok()) found.push_back({name, kind, object, *std::move(meaning)});
  }
  return found;
}

class Forger {
 public:
  Forger(const std::vector<Original>& originals, std::uint64_t seed) : originals_(originals), random_(seed) {}

  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(random_() % bound); }
  const Original& any() { return originals_[below(originals_.size())]; }

  // Makes one to four changes.
  Bytes forge(Bytes object) {
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(object);
    return object;
  }

 private:
  void change(Bytes& object) {
    if (object.empty()) return;
    const std::size_t at = below(object.size());
    const auto place = object.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t length = 1 + below(std::min<std::size_t>(object.size() - at, 64));
    switch (below(9)) {
      case 0: *place ^= static_cast<Byte>(1U << below(8)); break;
      case 1: *place = static_cast<Byte>(random_()); break;
      case 2: object[below(std::min<std::size_t>(object.size(), 128))] ^= static_cast<Byte>(1U << below(8)); break;
      case 3: object.erase(place, place + static_cast<std::ptrdiff_t>(length)); break;
      case 4: {
        Bytes more(length);
        for (Byte& b : more) b = static_cast<Byte>(random_());
        object.insert(place, more.begin(), more.end());
        break;
      }
      case 5: object.resize(at); break;
      case 6: {  // a piece of another object, at the same offset
        const Bytes& other = any().object;
        for (std::size_t i = at; i < std::min({object.size(), other.size(), at + length}); ++i) object[i] = other[i];
        break;
      }
      case 7: {  // the beginning or end of another object
        const Bytes& other = any().object;
        if (at < other.size()) std::copy_n(other.begin(), at, object.begin());
        break;
      }
      default: {  // a length or a count
        constexpr std::uint64_t kValues[] = {0,    1,      2,          16,         0x7F,
                                             0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, ~std::uint64_t{0}};
        const std::uint64_t value = kValues[below(std::size(kValues))];
        const std::size_t bytes = std::min(std::size_t{1} << below(4), object.size() - at);
        std::memcpy(&*place, &value, bytes);
      }
    }
  }

  const std::vector<Original>& originals_;
  std::mt19937_64 random_;
};

// Recomputes the digest at the end. Packs and index objects have none: their digest is in their name.
void make_digest_right(ObjectKind kind, Bytes& object) {
  if (kind == ObjectKind::kPack || kind == ObjectKind::kIndex || object.size() < Digest::kBytes) return;
  const Digest digest = sha256(ByteView(object).first(object.size() - Digest::kBytes));
  std::copy(digest.data.begin(), digest.data.end(), object.end() - static_cast<std::ptrdiff_t>(Digest::kBytes));
}

TEST(ForgedObjects, AreRefusedOrMeanWhatTheOriginalMeans) {
  const std::vector<Original> all = originals();
  ASSERT_GE(all.size(), 9U);
  const auto [part, parts] = test::campaign_part();
  Forger forger(all, test::campaign_seed() + part);
  std::size_t accepted = 0;
  const std::size_t count = (test::is_full_run() ? 1'000'000 : 20'000) / parts;
  for (std::size_t i = 0; i < count; ++i) {
    const Original& original = forger.any();
    Bytes object = forger.forge(original.object);
    make_digest_right(original.kind, object);
    const Meaning meaning = meaning_of(original.kind, original.name, object);
    if (!meaning.ok()) continue;
    ++accepted;
    ASSERT_TRUE(*meaning == original.meaning)
        << original.name << " was accepted with a different meaning: forgery " << i << ", " << to_hex(object);
  }
  // Accepted: changes that cancel each other out, or that are in a gap of a pack.
  EXPECT_LT(accepted, count / 20);
}

// Complete objects under the names of others: only name and kind are wrong.
TEST(ForgedObjects, AreNotAcceptedUnderAnotherNameOrAsAnotherKind) {
  const std::vector<Original> all = originals();
  for (const Original& original : all)
    for (const Original& place : all) {
      if (original.name == place.name) continue;
      const bool named_by_digest =
          place.kind == ObjectKind::kPack || place.kind == ObjectKind::kIndex || place.kind == ObjectKind::kSlot;
      if (named_by_digest && original.kind == place.kind) continue;  // readers compare the digest with the name
      EXPECT_FALSE(meaning_of(place.kind, place.name, original.object).ok())
          << original.name << " under the name " << place.name;
    }
}

}  // namespace
}  // namespace drs
