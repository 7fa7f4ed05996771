#include "tests/engine/format/malformed.h"

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "tests/engine/format/changed_bytes.h"
#include "tests/engine/format/golden.h"
#include "tests/engine/format/malformed_proving.h"
#include "tests/engine/format/malformed_topics.h"

namespace drs::golden {
namespace {

// Offsets of fields in the valid inputs: those of FORMAT.md, plus the bytes that decoders.h puts in front.
constexpr std::size_t kConfigSuiteAt = 2 + 16;
constexpr std::size_t kConfigEncryptionAt = kConfigSuiteAt + 1;
constexpr std::size_t kConfigChunkMeanAt = kConfigEncryptionAt + 1 + 32 + 4;
constexpr std::size_t kConfigBlockMaxAt = kConfigChunkMeanAt + 4 + 4 + 1;
constexpr std::size_t kConfigRequiredAt = kConfigBlockMaxAt + 4;
constexpr std::size_t kSlotMasterKeyAt = kEnvelopeBytes + 16;
constexpr std::size_t kSlotKindAt = kSlotMasterKeyAt + 2;
constexpr std::size_t kSlotLog2At = kSlotKindAt + 1;
constexpr std::size_t kTableSessionsAt = 8;
constexpr std::size_t kTableRecordsAt = kTableSessionsAt + 4 + 16 + 4;
constexpr std::size_t kRecordKindAt = 4 + 8;
constexpr std::size_t kRecordChunksAt = kRecordKindAt + 2;
constexpr std::size_t kRecordOffsetAt = kRecordChunksAt + 2;
constexpr std::size_t kRecordRawAt = kRecordOffsetAt + 8;
constexpr std::size_t kTableChunksAt = kTableRecordsAt + 2 * kBlockRecordBytes;
constexpr std::size_t kRecipeSessionsAt = 16;
constexpr std::size_t kRecipeBlocksAt = kRecipeSessionsAt + 4 + 2 * 16;
constexpr std::size_t kRecipeRunsAt = kRecipeBlocksAt + 4 + 2 + 2 + 3;  // (0, 7), (1, 0), (1, 300)

Bytes redigested(Bytes bytes) {
  bytes.resize(bytes.size() - Digest::kBytes);
  const Digest digest = sha256(bytes);
  ByteWriter(bytes).raw(digest.view());
  return bytes;
}

Bytes opened(const ObjectOpener& opener, const SealLabel& label, ByteView sealed) {
  auto plain = opener.open(label, sealed);
  DRS_ASSERT(plain.ok(), "a golden section was not opened");
  return *std::move(plain);
}

void add_index_inputs(const Bytes& object, std::map<std::string, Bytes>& out) {
  const RepositoryKeys repository_keys = keys();
  const auto envelope = decode_envelope(object, ObjectKind::kIndex);
  const auto opener = ObjectOpener::make(repository_keys, *envelope, "", CryptoBackend::kOpenssl);
  const ByteView footer_bytes = ByteView(object).last(kIndexFooterBytes);
  out["index_footer/golden"] = framed_u64(object.size(), footer_bytes);
  const auto footer = decode_index_footer(footer_bytes, object.size());
  const ByteView sealed_summary =
      ByteView(object).last(footer->summary_sealed_bytes + kIndexFooterBytes).first(footer->summary_sealed_bytes);
  const Bytes plain_summary = opened(*opener, summary_label(*footer), sealed_summary);
  out["index_summary/golden"] = framed_u64(object.size(), plain_summary);
  const auto summary = decode_index_summary(plain_summary, object.size());
  const auto with_summary = [&](const Bytes& plain) {
    Bytes input;
    ByteWriter writer(input);
    writer.u64(object.size());
    writer.long_bytes(plain_summary);
    writer.raw(plain);
    return input;
  };
  out["index_directory/golden"] =
      with_summary(opened(*opener, directory_label(*summary),
                          ByteView(object).subspan(summary->directory_offset_bytes, summary->directory_sealed_bytes)));
  out["index_hooks/golden"] =
      with_summary(opened(*opener, hooks_label(*summary),
                          ByteView(object).subspan(summary->hooks_offset_bytes, summary->hooks_sealed_bytes)));
}

Bytes document_input(std::uint8_t kind_index, const std::string& name, const Bytes& object) {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(kind_index);
  writer.short_string(name);
  writer.raw(object);
  return out;
}

}  // namespace

std::map<std::string, Bytes> well_formed_inputs() {
  std::map<std::string, Bytes> out;
  std::map<std::string, Bytes> objects = reproducible_objects();
  const BuiltPack pack = build_pack("raw pack", raw_pack_blocks());
  out["envelope/golden"] = Bytes(pack.object.begin(), pack.object.begin() + kEnvelopeBytes);
  out["config/golden"] = encode_config(config());
  for (const std::string decoder : {"slot", "slot_unlock"}) {
    out[decoder + "/raw"] = raw_slot();
    out[decoder + "/passphrase"] = passphrase_slot();
    out[decoder + "/clear"] = objects.at(clear_slot_file());
  }
  const Bytes table = encode_pack_table(pack.table);
  const std::size_t table_offset_bytes = pack.object.size() - kPackFooterBytes - kSealBytes - table.size();
  out["pack_table/golden"] = framed_u64(table_offset_bytes, table);
  out["pack_table/empty"] = framed_u64(kEnvelopeBytes, encode_pack_table({}));
  out["pack_footer/golden"] = framed_u64(pack.object.size(), ByteView(pack.object).last(kPackFooterBytes));
  add_index_inputs(index_object({contents_of(pack.object, pack.table)}), out);
  ByteWriter list(out["chunk_list/golden"]);
  list.u32(pack.table[0].record.raw_bytes);
  list.raw(encode_chunk_list(pack.table[0].chunks));
  out["recipe/golden"] = encode_recipe_part(recipe_part());
  out["manifest/golden"] = *encode_manifest(manifest(document_identity(objects.at(config_name(1)))));
  out["manifest/topics"] = *encode_manifest(topics_manifest());
  Manifest empty;
  empty.set_stream({});
  out["manifest/empty"] = *encode_manifest(empty);
  out["fence/golden"] = encode_fence(fence());
  out["removed/golden"] = encode_removed(removed());
  out["session/golden"] = encode_session(session());
  out["condemned/golden"] = encode_condemned(condemned());
  out["damaged/golden"] = encode_damaged(damaged());
  out["waits/golden"] = encode_waits(waits());
  out["retired/golden"] = encode_retired(retired());
  out["hold/kept"] = encode_hold(kept());
  out["hold/hold"] = encode_hold(hold());
  out["document/config"] = document_input(2, config_name(1), objects.at(config_name(1)));
  const std::string manifest_object = manifest_name(keys().stream_tag(kStream), fixed_uuid("session"));
  out["document/manifest"] = document_input(0, manifest_object, objects.at(manifest_object));
  const std::string fence_object = manifest_name(keys().stream_tag(fence().stream), fence().session);
  out["document/fence"] = document_input(5, fence_object, objects.at(fence_object));
  out.merge(well_formed_topic_inputs());
  out.merge(well_formed_proving_inputs());
  std::size_t number = 0;
  for (const auto& [name, object] : objects) {
    if (name == clear_slot_file() || name == topics_file()) continue;
    const ByteView text = as_bytes(name);
    out["names/" + std::to_string(number++)] = Bytes(text.begin(), text.end());
  }
  for (const auto& [name, object] : retention_objects()) {
    const ByteView text = as_bytes(name);
    const std::string kind(object_kind_name(parse_name(name)->kind));
    out["names/" + kind] = Bytes(text.begin(), text.end());
  }
  return out;
}

namespace {

void add_retention_inputs(const std::map<std::string, Bytes>& good, const AddInput& add) {
  const Bytes& waits = good.at("waits/golden");
  constexpr std::size_t kWaitsCountAt = 16 + 8;
  constexpr std::size_t kWaitsFirstAt = kWaitsCountAt + 4;
  add("waits__truncated__truncated", truncated(waits, 1));
  add("waits__left-over-bytes__corrupt", with_more(waits));
  add("waits__overlong-count__corrupt", with_u32(waits, kWaitsCountAt, 0xFFFFFFFF));
  add("waits__more-sessions-than-bytes__truncated", with_u32(waits, kWaitsCountAt, 3));
  add("waits__unsorted__corrupt", with_u8(waits, kWaitsFirstAt, 0xFF));
  add("waits__number-of-9-digits__corrupt", with_u32(waits, kWaitsFirstAt + 32, 100'000'000));

  const Bytes& retired = good.at("retired/golden");
  const std::size_t retired_count_at = 16 + 2 + kStream.size();
  constexpr std::size_t kEntryBytes = 64;
  add("retired__truncated__truncated", truncated(retired, 1));
  add("retired__left-over-bytes__corrupt", with_more(retired));
  add("retired__overlong-count__corrupt", with_u32(retired, retired_count_at, 0xFFFFFFFF));
  add("retired__more-entries-than-bytes__truncated", with_u32(retired, retired_count_at, 4));
  add("retired__unsorted__corrupt", with_u8(retired, retired_count_at + 4, 0xFF));
  const auto with_first_entry = [&](std::size_t at, std::size_t bytes, Byte value) {
    return spliced(retired, retired_count_at + 4 + at, bytes, Bytes(bytes, value));
  };
  add("retired__sequence-2-64__corrupt", with_first_entry(48, 8, 0xFF));
  add("retired__session-twice__corrupt",
      spliced(retired, retired_count_at + 4 + kEntryBytes, 16,
              Bytes(retired.begin() + static_cast<std::ptrdiff_t>(retired_count_at) + 4,
                    retired.begin() + static_cast<std::ptrdiff_t>(retired_count_at) + 20)));
  const Retired in_order = *decode_retired(retired);
  for (std::size_t i = 0; i < in_order.entries.size(); ++i)
    if (in_order.entries[i].is_fence())
      add("retired__fence-with-a-sequence__corrupt", with_u8(retired, retired_count_at + 4 + i * kEntryBytes + 48, 1));

  const Bytes& hold = good.at("hold/kept");
  const std::size_t overrides_at = hold.size() - 2 * 4;
  add("hold__truncated__truncated", truncated(hold, 1));
  add("hold__left-over-bytes__corrupt", with_more(hold));
  add("hold__overlong-count__corrupt", with_u32(hold, overrides_at - 4, 0xFFFFFFFF));
  add("hold__more-numbers-than-bytes__truncated", with_u32(hold, overrides_at - 4, 3));
  add("hold__unsorted__corrupt", with_u32(hold, overrides_at, 8));
  add("hold__number-twice__corrupt", with_u32(hold, overrides_at, 7));
  add("hold__number-of-9-digits__corrupt", with_u32(hold, overrides_at + 4, 100'000'000));
  const std::size_t reason_at = overrides_at - 4 - 2 - kept().reason.size();
  add("hold__reason-of-4097-bytes__corrupt", spliced(hold, reason_at, 2 + kept().reason.size(), [] {
        Bytes reason;
        ByteWriter(reason).short_string(std::string(4097, 'r'));
        return reason;
      }()));
}

}  // namespace

std::map<std::string, Bytes> malformed_inputs() {
  std::map<std::string, Bytes> good = well_formed_inputs();
  std::map<std::string, Bytes> out;
  const auto add = [&out](const std::string& what, Bytes bytes) { out[what + ".bin"] = std::move(bytes); };

  const Bytes& envelope = good["envelope/golden"];
  add("envelope__truncated__truncated", truncated(envelope, 1));
  add("envelope__wrong-magic__corrupt", with_u8(envelope, 0, 'D'));
  add("envelope__kind-0__corrupt", with_u8(envelope, 6, 0));
  add("envelope__unknown-kind__format-too-new", with_u8(envelope, 6, 200));
  add("envelope__version-0__corrupt", with_u8(envelope, 7, 0));
  add("envelope__version-2__format-too-new", with_u8(envelope, 7, 2));
  add("envelope__suite-0__corrupt", with_u8(envelope, 8, 0));
  add("envelope__suite-2__format-too-new", with_u8(envelope, 8, 2));
  add("envelope__key-method-1__format-too-new", with_u8(envelope, 9, 1));
  add("envelope__key-method-2__format-too-new", with_u8(envelope, 9, 2));
  add("envelope__flag-0__format-too-new", with_u8(envelope, 10, 1));
  add("envelope__flag-15__format-too-new", with_u8(envelope, 11, 0x80));
  add("envelope__key-blob__format-too-new", with_u8(envelope, 76, 4));

  const Bytes& config = good["config/golden"];
  add("config__truncated__truncated", truncated(config, 1));
  add("config__left-over-bytes__corrupt", with_more(config));
  add("config__version-2__format-too-new", with_u8(config, 0, 2));
  add("config__suite-2__format-too-new", with_u8(config, kConfigSuiteAt, 2));
  add("config__encryption-2__format-too-new", with_u8(config, kConfigEncryptionAt, 2));
  add("config__chunk-mean-not-a-power-of-two__corrupt", with_u32(config, kConfigChunkMeanAt, 16385));
  add("config__block-longer-than-1-MiB__corrupt", with_u32(config, kConfigBlockMaxAt, (1U << 20) + 1));
  add("config__required-feature__format-too-new", with_u8(config, kConfigRequiredAt, 1));
  add("config__required-feature-55__format-too-new", with_u8(config, kConfigRequiredAt + 6, 0x80));
  add("config__no-draft__format-too-new", with_u8(config, kConfigRequiredAt + 7, 0));
  add("config__another-draft__format-too-new", with_u8(config, kConfigRequiredAt + 7, 2));
  add("config__two-drafts__format-too-new", with_u8(config, kConfigRequiredAt + 7, 3));

  const Bytes& raw_slot = good["slot/raw"];
  const Bytes& passphrase_slot = good["slot/passphrase"];
  add("slot__truncated__corrupt", truncated(raw_slot, 1));
  add("slot__half__truncated", truncated(raw_slot, raw_slot.size() / 2));
  add("slot__digest__corrupt", with_u8(raw_slot, raw_slot.size() - 1, static_cast<Byte>(raw_slot.back() ^ 1)));
  add("slot__kind-0__corrupt", redigested(with_u8(raw_slot, kSlotKindAt, 0)));
  add("slot__kind-4__format-too-new", redigested(with_u8(raw_slot, kSlotKindAt, 4)));
  add("slot__master-key-1__format-too-new", redigested(with_u8(raw_slot, kSlotMasterKeyAt, 1)));
  add("slot__master-key-256__format-too-new", redigested(with_u8(raw_slot, kSlotMasterKeyAt + 1, 1)));
  add("slot__scrypt-in-a-raw-slot__corrupt", redigested(with_u8(raw_slot, kSlotLog2At, 17)));
  add("slot_unlock__scrypt-cost-2-30__corrupt", redigested(with_u8(passphrase_slot, kSlotLog2At, 30)));
  add("slot_unlock__scrypt-cost-changed__wrong-key", redigested(with_u8(passphrase_slot, kSlotLog2At, 11)));
  add("slot_unlock__label-changed__corrupt", redigested(with_u8(raw_slot, kSlotLog2At + 9 + 32 + 2, 'R')));
  add("slot_unlock__commitment-of-another-key__wrong-key", redigested(with_u8(raw_slot, 12 + 32, 0)));

  const Bytes& table = good["pack_table/golden"];
  const std::size_t recipe_record_at = kTableRecordsAt + kBlockRecordBytes;
  add("pack_table__truncated__truncated", truncated(table, 1));
  add("pack_table__left-over-bytes__corrupt", with_more(table));
  add("pack_table__overlong-session-count__truncated", with_u32(table, kTableSessionsAt, 0xFFFFFFFF));
  add("pack_table__overlong-block-count__corrupt", with_u32(table, kTableRecordsAt - 4, 0xFFFFFFFF));
  add("pack_table__more-blocks-than-bytes__truncated", with_u32(table, kTableRecordsAt - 4, 1024));
  add("pack_table__unused-session__corrupt",
      spliced(with_u32(table, kTableSessionsAt, 2), kTableSessionsAt + 4 + 16, 0, Bytes(16, 9)));
  add("pack_table__session-number-1-of-1__corrupt", with_u32(table, kTableRecordsAt, 1));
  add("pack_table__block-kind-0__corrupt", with_u8(table, kTableRecordsAt + kRecordKindAt, 0));
  add("pack_table__block-kind-3__format-too-new", with_u8(table, kTableRecordsAt + kRecordKindAt, 3));
  add("pack_table__codec-3__format-too-new", with_u8(table, kTableRecordsAt + kRecordKindAt + 1, 3));
  add("pack_table__data-block-without-chunks__corrupt", with_u8(table, kTableRecordsAt + kRecordChunksAt, 0));
  add("pack_table__block-in-the-envelope__corrupt", with_u32(table, kTableRecordsAt + kRecordOffsetAt, 77));
  add("pack_table__block-outside-the-pack__corrupt", with_u32(table, kTableRecordsAt + kRecordOffsetAt, 1U << 20));
  add("pack_table__blocks-overlap__corrupt", with_u32(table, recipe_record_at + kRecordOffsetAt, kEnvelopeBytes));
  add("pack_table__empty-block__corrupt", with_u32(table, kTableRecordsAt + kRecordRawAt, 0));
  add("pack_table__chunks-do-not-sum__corrupt", with_u8(table, kTableChunksAt + 32, 63));
  add("pack_table__empty-chunk__corrupt", with_u8(table, kTableChunksAt + 32, 0));
  add("pack_table__block-twice__corrupt", with_u8(table, recipe_record_at + 4, 7));
  add("pack_table__ordinal-twice__corrupt", with_u8(table, recipe_record_at + kRecordRawAt + 4, 1));

  const Bytes& footer = good["pack_footer/golden"];
  add("pack_footer__truncated__truncated", truncated(footer, 1));
  add("pack_footer__table-longer-than-the-pack__corrupt", with_u32(footer, 16, 1U << 20));
  add("pack_footer__table-shorter-than-empty__corrupt", with_u32(footer, 16, 23));
  add("pack_footer__pack-too-long__corrupt", with_u32(footer, 0, (128U << 20) + 1));
  add("pack_footer__table-longer-than-any__corrupt", with_u32(with_u32(footer, 0, 128U << 20), 16, 100U << 20));

  const Bytes& index_footer = good["index_footer/golden"];
  add("index_footer__summary-longer-than-the-object__corrupt", with_u32(index_footer, 16, 1U << 20));
  add("index_footer__ordinal-4099__corrupt", with_u32(index_footer, 8, 4099));
  add("index_footer__summary-longer-than-any__corrupt", with_u32(with_u32(index_footer, 0, 64U << 20), 16, 16U << 20));

  const Bytes& summary = good["index_summary/golden"];
  constexpr std::size_t kSummaryPacksAt = 8 + 8;
  constexpr std::size_t kSummarySessionsAt = kSummaryPacksAt + 4 + 72;
  constexpr std::size_t kSummaryTotalsAt = kSummarySessionsAt + 4 + 36;
  add("index_summary__truncated__truncated", truncated(summary, 1));
  add("index_summary__overlong-pack-count__truncated", with_u32(summary, kSummaryPacksAt, 0x10000000));
  add("index_summary__overlong-session-count__truncated", with_u32(summary, kSummarySessionsAt, 0x10000000));
  add("index_summary__pack-of-1-byte__corrupt", with_u32(summary, kSummaryPacksAt + 4 + 32, 1));
  add("index_summary__counters-backwards__corrupt", with_u8(summary, kSummarySessionsAt + 4 + 16, 200));
  add("index_summary__block-counts-do-not-sum__corrupt", with_u8(summary, kSummaryTotalsAt, 3));
  add("index_summary__directory-outside-the-object__corrupt", with_u32(summary, kSummaryTotalsAt + 12, 1U << 20));
  add("index_summary__hooks-elsewhere__corrupt", with_u32(summary, kSummaryTotalsAt + 24, 78));

  const Bytes& directory = good["index_directory/golden"];
  const std::size_t entries_at = directory.size() - std::size_t{2} * 64;
  add("index_directory__truncated__corrupt", truncated(directory, 1));
  add("index_directory__session-number-1-of-1__corrupt", with_u32(directory, entries_at, 1));
  add("index_directory__pack-number-1-of-1__corrupt", with_u32(directory, entries_at + 4, 1));
  add("index_directory__out-of-order__corrupt", with_u8(directory, entries_at + 8, 9));
  add("index_directory__chunk-list-elsewhere__corrupt", with_u32(directory, entries_at + 56, 79));
  add("index_directory__block-outside-the-pack__corrupt", with_u32(directory, entries_at + 20, 1U << 20));

  const Bytes& hooks = good["index_hooks/golden"];
  const std::size_t hooks_at = directory.size() - std::size_t{2} * 64;  // after the same summary
  add("index_hooks__truncated__truncated", truncated(hooks, 1));
  add("index_hooks__more-hooks-than-chunks__corrupt", with_u32(hooks, hooks_at, 41));
  add("index_hooks__block-2-of-2__corrupt", with_u32(hooks, hooks_at + 4 + 8, 2));
  add("index_hooks__word-of-no-hook__corrupt", with_u8(hooks, hooks_at + 4, 1));

  const Bytes& list = good["chunk_list/golden"];
  add("chunk_list__truncated__corrupt", truncated(list, 34));
  add("chunk_list__left-over-bytes__corrupt", with_more(list));

  const Bytes& recipe = good["recipe/golden"];
  add("recipe__truncated__truncated", truncated(recipe, 1));
  add("recipe__left-over-bytes__corrupt", with_more(recipe));
  add("recipe__overlong-block-count__truncated", with_u32(recipe, kRecipeBlocksAt, 0xFFFFFFFF));
  add("recipe__overlong-run-count__truncated", with_u32(recipe, kRecipeRunsAt, 0xFFFFFFFF));
  add("recipe__session-twice__corrupt",
      spliced(recipe, kRecipeSessionsAt + 4 + 16, 16,
              Bytes(recipe.begin() + kRecipeSessionsAt + 4, recipe.begin() + kRecipeSessionsAt + 20)));
  add("recipe__non-minimal-varint__truncated", spliced(recipe, kRecipeBlocksAt + 4 + 1, 1, {0x87, 0x00}));
  add("recipe__varint-of-65-bits__truncated",
      spliced(recipe, kRecipeBlocksAt + 4 + 1, 1, {255, 255, 255, 255, 255, 255, 255, 255, 255, 2}));
  add("recipe__block-twice__corrupt", spliced(recipe, kRecipeRunsAt - 3, 3, {1, 0}));
  add("recipe__run-of-no-block__corrupt", with_u8(recipe, kRecipeRunsAt + 4, 3));
  add("recipe__run-without-chunks__corrupt", with_u8(recipe, kRecipeRunsAt + 4 + 2, 0));
  add("recipe__run-outside-of-a-block__corrupt", spliced(recipe, kRecipeRunsAt + 4 + 1, 3, {1, 25, 0xFF, 0xFF, 0x3F}));
  add("recipe__runs-do-not-sum__corrupt", with_u8(recipe, 8, static_cast<Byte>(recipe[8] ^ 1)));

  const Bytes& manifest = good["manifest/empty"];
  constexpr std::size_t kManifestSequenceAt = 2 + 16;
  constexpr std::size_t kManifestProducerAt = kManifestSequenceAt + 8 + 2 + 32 + 24 + 2 + 2 + 32;
  constexpr std::size_t kManifestContentAt = kManifestProducerAt + 1 + 2 + 4 + 2 + 2;
  constexpr std::size_t kManifestBytesAt = kManifestContentAt + 1;
  constexpr std::size_t kManifestUnreadableAt = kManifestBytesAt + 32;
  constexpr std::size_t kManifestStreamsAt = kManifestUnreadableAt + 2;
  constexpr std::size_t kStreamLabelAt = kManifestStreamsAt + 4;
  constexpr std::size_t kStreamBytesAt = kStreamLabelAt + 2 + 16;
  constexpr std::size_t kManifestPartsAt = kStreamBytesAt + 8 + 1 + 32 + 16 + 8;
  const Bytes one_stream(manifest.begin() + kStreamLabelAt, manifest.begin() + kManifestPartsAt + 4);
  const auto unreadable = [](std::initializer_list<std::string> names) {
    Bytes field;
    ByteWriter writer(field);
    writer.u16(static_cast<std::uint16_t>(names.size()));
    for (const std::string& entry : names) {
      writer.short_string(entry);
      writer.raw(fixed_digest("unreadable").view());
    }
    return field;
  };
  const std::string unreadable_1 = manifest_name(StreamTag{}, fixed_uuid("1"));
  const std::string unreadable_2 = manifest_name(StreamTag{}, fixed_uuid("2"));
  const auto with_unreadable = [&](const Bytes& field) { return spliced(manifest, kManifestUnreadableAt, 2, field); };
  Bytes two_tags = spliced(manifest, kManifestPartsAt + 4, 2, {2, 0, 1, 0, 'b', 0, 0, 1, 0, 'a', 0, 0});
  add("manifest__truncated__truncated", truncated(good["manifest/golden"], 1));
  add("manifest__left-over-bytes__corrupt", with_more(good["manifest/golden"]));
  add("manifest__sequence-0__corrupt", with_u8(manifest, kManifestSequenceAt, 0));
  add("manifest__predecessor-without-digest__corrupt", spliced(manifest, kManifestSequenceAt + 8, 2, {1, 0, 'm'}));
  add("manifest__predecessor-of-another-kind__corrupt",
      spliced(with_u8(manifest, kManifestSequenceAt + 8 + 2, 1), kManifestSequenceAt + 8, 2, [] {
        Bytes field;
        ByteWriter(field).short_string(slot_name(fixed_uuid("slot")));
        return field;
      }()));
  add("manifest__producer-4__format-too-new", with_u8(manifest, kManifestProducerAt, 4));
  add("manifest__content-3__format-too-new", with_u8(manifest, kManifestContentAt, 3));
  add("manifest__unreadable-unsorted__corrupt",
      with_unreadable(unreadable({std::max(unreadable_1, unreadable_2), std::min(unreadable_1, unreadable_2)})));
  add("manifest__unreadable-twice__corrupt", with_unreadable(unreadable({unreadable_1, unreadable_1})));
  add("manifest__unreadable-is-no-manifest__corrupt", with_unreadable(unreadable({"manifests/1"})));
  add("manifest__unreadable-more-than-1024__corrupt", with_unreadable({0x01, 0x04}));
  add("manifest__more-unreadable-than-bytes__truncated", with_unreadable({0x00, 0x04}));
  add("manifest__no-stream__corrupt",
      spliced(with_u32(manifest, kManifestStreamsAt, 0), kStreamLabelAt, one_stream.size(), {}));
  add("manifest__two-streams-of-bytes__corrupt",
      spliced(with_u32(manifest, kManifestStreamsAt, 2), kStreamLabelAt, 2, [&] {
        Bytes labelled = {1, 0, 'a'};
        labelled.insert(labelled.end(), one_stream.begin() + 2, one_stream.end());
        labelled.insert(labelled.end(), {0, 0});
        return labelled;
      }()));
  add("manifest__a-label-twice__corrupt",
      spliced(with_u32(with_u8(manifest, kManifestContentAt, 1), kManifestStreamsAt, 2), kStreamLabelAt, 0,
              one_stream));
  add("manifest__labelled-stream-of-bytes__corrupt", spliced(manifest, kStreamLabelAt, 2, {1, 0, 'a'}));
  add("manifest__label-of-65-bytes__corrupt", spliced(with_u8(manifest, kManifestContentAt, 1), kStreamLabelAt, 2, [] {
        Bytes label;
        ByteWriter(label).short_string(std::string(65, 'a'));
        return label;
      }()));
  add("manifest__overlong-stream-count__corrupt", with_u32(manifest, kManifestStreamsAt, 8193));
  add("manifest__more-streams-than-bytes__truncated", with_u32(manifest, kManifestStreamsAt, 8192));
  add("manifest__sum-of-bytes__corrupt", with_u8(manifest, kManifestBytesAt, 1));
  add("manifest__sum-of-chunks__corrupt", with_u8(manifest, kManifestBytesAt + 8, 1));
  add("manifest__digest-flag-2__corrupt", with_u8(manifest, kStreamBytesAt + 8, 2));
  add("manifest__absent-digest-not-zero__corrupt", with_u8(manifest, kStreamBytesAt + 9, 1));
  add("manifest__bytes-without-parts__corrupt", with_u8(with_u8(manifest, kManifestBytesAt, 1), kStreamBytesAt, 1));
  add("manifest__overlong-part-count__corrupt", with_u32(manifest, kManifestPartsAt, 0xFFFFFFFF));
  add("manifest__more-parts-than-bytes__truncated", with_u32(manifest, kManifestPartsAt, 65536));
  add("manifest__empty-part__corrupt",
      spliced(with_u32(manifest, kManifestPartsAt, 1), kManifestPartsAt + 4, 0, Bytes(40)));
  add("manifest__tags-unsorted__corrupt", std::move(two_tags));

  add("removed__truncated__truncated", truncated(good["removed/golden"], 1));
  add("session__left-over-bytes__corrupt", with_more(good["session/golden"]));
  add("fence__truncated__truncated", truncated(good["fence/golden"], 1));
  add("fence__left-over-bytes__corrupt", with_more(good["fence/golden"]));
  const Bytes& condemned = good["condemned/golden"];
  add("condemned__overlong-count__corrupt", with_u32(condemned, 8, 0xFFFFFFFF));
  add("condemned__more-packs-than-bytes__truncated", with_u32(condemned, 8, 3));
  add("condemned__unsorted__corrupt", with_u8(condemned, 12, 0xFF));
  add_retention_inputs(good, add);
  add_malformed_topic_inputs(good, add);
  add_malformed_proving_inputs(good, add);

  const Bytes& damaged = good["damaged/golden"];
  add("damaged__digest__corrupt", with_u8(damaged, 20, static_cast<Byte>(damaged[20] ^ 1)));
  add("damaged__wrong-magic__corrupt", redigested(with_u8(damaged, 0, 'D')));
  add("damaged__version-2__format-too-new", redigested(with_u8(damaged, 6, 2)));
  const std::size_t blocks_at = damaged.size() - Digest::kBytes - 2 * 8;  // the golden mark has two blocks
  add("damaged__overlap__corrupt", redigested(with_u32(damaged, blocks_at + 8, 1077)));
  add("damaged__empty-block__corrupt", redigested(with_u32(damaged, blocks_at + 12, 0)));
  add("damaged__outside-of-any-pack__corrupt", redigested(with_u32(damaged, blocks_at + 12, 0x7FFFFFFF)));
  add("damaged__too-many-blocks__corrupt", redigested(with_u8(damaged, blocks_at - 1, 0xFF)));
  add("damaged__fewer-blocks-than-bytes__corrupt", redigested(with_u8(damaged, blocks_at - 2, 1)));
  add("damaged__more-blocks-than-bytes__truncated", redigested(with_u8(damaged, blocks_at - 2, 3)));

  const Bytes& document = good["document/config"];
  const std::size_t object_at = 1 + 2 + config_name(1).size();
  const auto object_changed = [&](std::size_t at) {
    Bytes bytes = with_u8(document, object_at + at, static_cast<Byte>(document[object_at + at] ^ 1));
    bytes.resize(bytes.size() - Digest::kBytes);
    const Digest digest = sha256(ByteView(bytes).subspan(object_at));
    ByteWriter(bytes).raw(digest.view());
    return bytes;
  };
  add("document__truncated__truncated", truncated(document, 40));
  add("document__digest__corrupt", with_u8(document, document.size() - 1, static_cast<Byte>(document.back() ^ 1)));
  add("document__kind-of-another__corrupt", with_u8(document, 0, 0));
  add("document__signature__format-too-new", [&] {
    Bytes bytes = truncated(document, Digest::kBytes + 2);
    ByteWriter(bytes).short_string(std::string(60'000, 's'));
    const Digest digest = sha256(ByteView(bytes).subspan(object_at));
    ByteWriter(bytes).raw(digest.view());
    return bytes;
  }());
  add("document__under-another-name__corrupt", with_u8(document, object_at - 1, '2'));
  add("document__salt__corrupt", object_changed(12));
  add("document__commitment__corrupt", object_changed(12 + 32));
  add("document__repository__corrupt", object_changed(kEnvelopeBytes));
  add("document__sealed-length__truncated", object_changed(kEnvelopeBytes + 16));
  add("document__sealed-bytes__corrupt", object_changed(kEnvelopeBytes + 16 + 4));

  const auto name = [&add](const std::string& what, std::string_view text) {
    const ByteView bytes = as_bytes(text);
    add("names__" + what + "__corrupt", Bytes(bytes.begin(), bytes.end()));
  };
  name("upper-case-hex", "condemned/00112233445566778899AABBCCDDEEFF");
  name("pack-in-the-wrong-folder", "packs/00/" + std::string(64, '1'));
  name("config-with-7-digits", "config/0000001");
  name("session-without-a-tag", "sessions/" + std::string(32, '0') + "-00000000");
  name("incoming", "incoming/1");
  name("retired-with-a-number", "retired/" + std::string(32, '0') + "-00000001");
  name("kept-without-a-number", "kept/" + std::string(32, '0') + "-" + std::string(32, '0'));
  name("folder-inside", "keys/" + std::string(31, '0') + "/");
  return out;
}

}  // namespace drs::golden
