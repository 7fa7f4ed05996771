#include "tests/engine/format/decoders.h"

#include <algorithm>
#include <array>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/format/config.h"
#include "engine/format/document.h"
#include "engine/format/index.h"
#include "engine/format/manifest.h"
#include "engine/format/names.h"
#include "engine/format/pack.h"
#include "engine/format/recipe.h"
#include "engine/format/retention.h"
#include "engine/format/slot.h"
#include "engine/format/verified.h"
#include "tests/engine/format/golden.h"
#include "tests/engine/format/topic_decoders.h"

namespace drs {
namespace {

// Separates the bytes in front of the plaintext from the rest of an input.
class Framed {
 public:
  explicit Framed(ByteView input) : input_(input), reader_(input, "test input") {}
  ByteReader& reader() { return reader_; }
  [[nodiscard]] ByteView rest() const { return input_.last(reader_.remaining()); }
  // The bytes read so far, followed by `plain`.
  [[nodiscard]] Bytes with(const Bytes& plain) const {
    const ByteView front = input_.first(input_.size() - reader_.remaining());
    Bytes out(front.begin(), front.end());
    out.insert(out.end(), plain.begin(), plain.end());
    return out;
  }

 private:
  ByteView input_;
  ByteReader reader_;
};

Bytes copy_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

Result<Bytes> envelope(ByteView input) {
  const bool has_known_kind = input.size() > 6 && is_known_kind(input[6]);
  const ObjectKind expected = has_known_kind ? static_cast<ObjectKind>(input[6]) : ObjectKind::kPack;
  DRS_ASSIGN_OR_RETURN(const Envelope decoded, decode_envelope(input, expected));
  Bytes out;
  encode_envelope(decoded, out);
  ByteWriter(out).raw(input.subspan(kEnvelopeBytes));
  return out;
}

Result<Bytes> config(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Config decoded, decode_config(input));
  return encode_config(decoded);
}

Result<Bytes> slot(ByteView input) {
  DRS_RETURN_IF_ERROR(decode_slot(input));
  return copy_of(input);
}

Result<Bytes> slot_unlock(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Slot decoded, decode_slot(input));
  const Bytes secret = decoded.kind == SlotKind::kRawKey       ? golden::raw_key()
                       : decoded.kind == SlotKind::kPassphrase ? copy_of(as_bytes(golden::kPassphrase))
                                                               : Bytes();
  DRS_RETURN_IF_ERROR(unlock_slot(input, secret));
  return copy_of(input);
}

Result<Bytes> pack_table(ByteView input) {
  Framed framed(input);
  const std::uint64_t table_offset_bytes = framed.reader().u64();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  DRS_ASSIGN_OR_RETURN(const auto decoded, decode_pack_table(framed.rest(), table_offset_bytes));
  return framed.with(encode_pack_table(decoded));
}

Bytes footer_bytes(std::uint64_t object_bytes, std::uint64_t ordinal, std::uint32_t sealed_bytes) {
  Bytes out;
  ByteWriter writer(out);
  writer.u64(object_bytes);
  writer.u64(ordinal);
  writer.u32(sealed_bytes);
  return out;
}

Result<Bytes> pack_footer(ByteView input) {
  Framed framed(input);
  const std::uint64_t object_bytes = framed.reader().u64();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  DRS_ASSIGN_OR_RETURN(const PackFooter decoded, decode_pack_footer(framed.rest(), object_bytes, ChunkParameters{}));
  if (framed.rest().size() != kPackFooterBytes) return copy_of(input);
  return footer_bytes(object_bytes, decoded.table_ordinal, decoded.table_sealed_bytes);
}

Result<Bytes> index_footer(ByteView input) {
  Framed framed(input);
  const std::uint64_t object_bytes = framed.reader().u64();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  DRS_ASSIGN_OR_RETURN(const IndexFooter decoded, decode_index_footer(framed.rest(), object_bytes));
  if (framed.rest().size() != kIndexFooterBytes) return copy_of(input);
  return footer_bytes(object_bytes, decoded.summary_ordinal, decoded.summary_sealed_bytes);
}

Result<Bytes> index_summary(ByteView input) {
  Framed framed(input);
  const std::uint64_t object_bytes = framed.reader().u64();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  DRS_ASSIGN_OR_RETURN(const IndexSummary decoded, decode_index_summary(framed.rest(), object_bytes));
  return framed.with(encode_index_summary(decoded));
}

Result<IndexSummary> framed_summary(Framed& framed) {
  const std::uint64_t object_bytes = framed.reader().u64();
  const ByteView plain = framed.reader().long_bytes();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  return decode_index_summary(plain, object_bytes);
}

Result<Bytes> index_directory(ByteView input) {
  Framed framed(input);
  DRS_ASSIGN_OR_RETURN(const IndexSummary summary, framed_summary(framed));
  DRS_ASSIGN_OR_RETURN(const auto decoded, decode_index_directory(framed.rest(), summary));
  return framed.with(encode_index_directory(decoded, summary));
}

Result<Bytes> index_hooks(ByteView input) {
  Framed framed(input);
  DRS_ASSIGN_OR_RETURN(const IndexSummary summary, framed_summary(framed));
  DRS_ASSIGN_OR_RETURN(const auto decoded, decode_index_hooks(framed.rest(), summary));
  return framed.with(encode_index_hooks(decoded));
}

Result<Bytes> chunk_list(ByteView input) {
  Framed framed(input);
  const std::uint32_t raw_bytes = framed.reader().u32();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  DRS_ASSIGN_OR_RETURN(const auto decoded, decode_chunk_list(framed.rest(), raw_bytes));
  return framed.with(encode_chunk_list(decoded));
}

Result<Bytes> recipe(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const RecipePart decoded, decode_recipe_part(input));
  return encode_recipe_part(decoded);
}

Result<Bytes> manifest(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Manifest decoded, decode_manifest(input));
  return encode_manifest(decoded);
}

Result<Bytes> removed(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const RemovedMark decoded, decode_removed(input));
  return encode_removed(decoded);
}

Result<Bytes> session(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const SessionRecord decoded, decode_session(input));
  return encode_session(decoded);
}

Result<Bytes> fence(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Fence decoded, decode_fence(input));
  return encode_fence(decoded);
}

Result<Bytes> condemned(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const CondemnedPacks decoded, decode_condemned(input));
  return encode_condemned(decoded);
}

Result<Bytes> waits(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Waits decoded, decode_waits(input));
  return encode_waits(decoded);
}

Result<Bytes> retired(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Retired decoded, decode_retired(input));
  return encode_retired(decoded);
}

Result<Bytes> hold(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Hold decoded, decode_hold(input));
  return encode_hold(decoded);
}

Result<Bytes> verified(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const Verified decoded, decode_verified(input));
  return encode_verified(decoded);
}

Result<Bytes> damaged(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const DamagedMark decoded, decode_damaged(input));
  return encode_damaged(decoded);
}

Result<Bytes> document(ByteView input) {
  static const RepositoryKeys keys = golden::keys();
  Framed framed(input);
  const std::uint8_t kind = framed.reader().u8();
  const std::string name = framed.reader().short_string();
  DRS_RETURN_IF_ERROR(framed.reader().check());
  constexpr std::array kKinds = {ObjectKind::kManifest, ObjectKind::kRemoved,   ObjectKind::kConfig,
                                 ObjectKind::kSession,  ObjectKind::kCondemned, ObjectKind::kFence,
                                 ObjectKind::kWaits,    ObjectKind::kRetired,   ObjectKind::kKept,
                                 ObjectKind::kHold,     ObjectKind::kVerified};
  const ObjectKind expected = kKinds[kind % kKinds.size()];
  DRS_RETURN_IF_ERROR(peek_document(expected, framed.rest()));
  DRS_RETURN_IF_ERROR(decode_document(keys, expected, name, framed.rest()));
  return copy_of(input);
}

Result<Bytes> names(ByteView input) {
  const std::optional<ParsedName> parsed = parse_name(as_text(input));
  if (!parsed) return Error(ErrorCode::kCorrupt, "not an object name");
  return copy_of(as_bytes(object_name(*parsed)));
}

constexpr std::array<FormatDecoder, 29> kDecoders = {{
    {"envelope", envelope},
    {"config", config},
    {"slot", slot},
    {"slot_unlock", slot_unlock},
    {"pack_table", pack_table},
    {"pack_footer", pack_footer},
    {"index_footer", index_footer},
    {"index_summary", index_summary},
    {"index_directory", index_directory},
    {"index_hooks", index_hooks},
    {"chunk_list", chunk_list},
    {"recipe", recipe},
    {"manifest", manifest},
    {"removed", removed},
    {"session", session},
    {"fence", fence},
    {"condemned", condemned},
    {"damaged", damaged},
    {"waits", waits},
    {"retired", retired},
    {"hold", hold},
    {"verified", verified},
    {"document", document},
    {"names", names},
    {"record_block", reencode_record_block},
    {"extent_index", reencode_extent_index},
    {"extent_page", reencode_extent_page},
    {"segment_directory", reencode_segment_directory},
    {"catalogue", reencode_catalogue},
}};

}  // namespace

std::span<const FormatDecoder> format_decoders() {
  return kDecoders;
}

void check_canonical(std::string_view decoder, ByteView input) {
  const auto found = std::ranges::find(kDecoders, decoder, &FormatDecoder::name);
  DRS_ASSERT(found != kDecoders.end(), "no decoder has that name");
  const Result<Bytes> again = found->reencode(input);
  if (!again.ok()) {
    DRS_ASSERT(!again.error().message.empty(), "an error without a text");
    return;
  }
  DRS_ASSERT(std::ranges::equal(*again, input), "the decoder accepted bytes that its encoder would not write");
}

void check_canonical_with_digest(std::string_view decoder, ByteView input, std::size_t object_at) {
  check_canonical(decoder, input);
  if (input.size() < object_at + Digest::kBytes) return;
  const ByteView body = input.first(input.size() - Digest::kBytes);
  Bytes repaired = copy_of(body);
  const Digest digest = sha256(body.subspan(object_at));
  ByteWriter(repaired).raw(digest.view());
  check_canonical(decoder, repaired);
}

Bytes with_checksum(ByteView input, std::size_t trailer_bytes) {
  Bytes repaired = copy_of(input);
  ByteReader reader(input, "test input");
  const std::uint64_t stream_bytes = reader.u64();
  if (reader.failed() || reader.remaining() < trailer_bytes || reader.remaining() > stream_bytes) return repaired;
  const std::uint64_t first = stream_bytes - reader.remaining();
  reader.raw(reader.remaining() - trailer_bytes + 8);  // up to the magic's end
  const std::uint64_t begin = reader.u64();
  const std::uint64_t end = stream_bytes - trailer_bytes;
  if (begin < first || begin > end) return repaired;
  const Xxh3Digest xxh3 = xxh3_128(input.subspan(8 + (begin - first), end - begin));
  std::ranges::copy(xxh3.view(), repaired.end() - static_cast<std::ptrdiff_t>(xxh3.view().size()));
  return repaired;
}

void check_canonical_with_checksum(std::string_view decoder, ByteView input, std::size_t trailer_bytes) {
  check_canonical(decoder, input);
  check_canonical(decoder, with_checksum(input, trailer_bytes));
}

}  // namespace drs
