#include "tools/repository/sweep_cursor.h"

#include <filesystem>
#include <system_error>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "io/base/error_class.h"
#include "io/read_to_end.h"
#include "tools/output/replace_file.h"

namespace drs {
namespace {

// "drssweep", then for each record its length and its body, then the SHA-256 of all that.
constexpr std::string_view kMagic = "drssweep";
constexpr std::size_t kFileBytesMax = 64 * kMiB;
constexpr std::size_t kDigitsOfAddress = 24;

}  // namespace

SweepCursorFile::SweepCursorFile(const std::string& state_dir, std::string_view address, const SweepShard& shard)
    : directory_(state_dir + "/sweeps"),
      path_(directory_ + "/" + sha256(as_bytes(address)).hex().substr(0, kDigitsOfAddress) + "-" +
            std::to_string(shard.number) + "-of-" + std::to_string(shard.count)) {}

Result<std::vector<Verified>> SweepCursorFile::load() {
  std::vector<Verified> none;
  const auto file = open_to_read(path_);
  if (!file.ok() && file.error().code == ErrorCode::kNotFound) return none;
  if (!file.ok()) return file.error();
  CancelToken never;
  DRS_ASSIGN_OR_RETURN(const SecretBytes content, read_to_end(*file, kFileBytesMax, never));
  const ByteView bytes = content.view();
  if (bytes.size() < kMagic.size() + Digest::kBytes || !has_valid_trailing_digest(bytes)) return none;
  ByteReader reader(bytes.first(bytes.size() - Digest::kBytes), "cursor of a sweep");
  if (as_text(reader.raw(kMagic.size())) != kMagic) return none;
  std::vector<Verified> records;
  while (reader.remaining() > 0) {
    const std::uint32_t body_bytes = reader.u32();
    const auto record = decode_verified(reader.raw(body_bytes));
    if (!record.ok() || !reader.check().ok()) return none;
    records.push_back(*record);
  }
  return records;
}

Result<void> SweepCursorFile::save(const std::vector<Verified>& records) {
  std::error_code failed;
  std::filesystem::create_directories(directory_, failed);
  if (failed) return error_from_errno(failed.value(), directory_ + " cannot be made");
  Bytes content;
  ByteWriter writer(content);
  writer.raw(as_bytes(kMagic));
  for (const Verified& record : records) {
    const Bytes body = encode_verified(record);
    writer.u32(static_cast<std::uint32_t>(body.size()));
    writer.raw(body);
  }
  const Digest digest = sha256(content);
  writer.raw(digest.view());
  return replace_file(path_, as_text(content), 0600);
}

}  // namespace drs
