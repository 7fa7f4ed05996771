#include "tests/engine/format/malformed_proving.h"

#include "tests/engine/format/changed_bytes.h"
#include "tests/engine/format/golden.h"
#include "tests/engine/format/golden_proving.h"

namespace drs::golden {
namespace {

constexpr std::size_t kHostAt = 1 + 8 + 8 + 1;
constexpr std::size_t kArcBytes = 129;
constexpr std::size_t kFactBytes = 41;  // a damaged pack, a rebuilt snapshot
constexpr std::size_t kArcTimesAt = 2 * Digest::kBytes;
constexpr std::size_t kArcLevelAt = kArcBytes - 8 - 1;
constexpr std::size_t kFactLevelAt = Digest::kBytes;

}  // namespace

std::map<std::string, Bytes> well_formed_proving_inputs() {
  std::map<std::string, Bytes> out;
  out["verified/sweep"] = encode_verified(proving_records()[0].record);
  out["verified/folded"] = encode_verified(proving_records()[1].record);
  out["verified/empty"] = encode_verified({});
  const std::string name = proving_records()[0].name;
  out["names/verified"] = Bytes(name.begin(), name.end());
  return out;
}

void add_malformed_proving_inputs(const std::map<std::string, Bytes>& good, const AddInput& add) {
  const Bytes& sweep = good.at("verified/sweep");
  const Verified record = proving_records()[0].record;
  const std::size_t arcs_at = kHostAt + 2 + record.host.size() + 2 + record.tool.size();
  const std::size_t arc_at = arcs_at + 4;
  const std::size_t damaged_at = arc_at + kArcBytes;
  const std::size_t rebuilt_at = damaged_at + 4 + kFactBytes;
  add("verified__truncated__truncated", truncated(sweep, 1));
  add("verified__left-over-bytes__corrupt", with_more(sweep));
  add("verified__folded-2__corrupt", with_u8(sweep, 0, 2));
  add("verified__whole-2__corrupt", with_u8(sweep, kHostAt - 1, 2));
  Bytes text;
  ByteWriter(text).short_string(std::string(256, 'h'));
  add("verified__host-of-256-bytes__corrupt", spliced(sweep, kHostAt, 2 + record.host.size(), text));
  add("verified__tool-of-256-bytes__corrupt",
      spliced(sweep, arcs_at - 2 - record.tool.size(), 2 + record.tool.size(), text));
  add("verified__overlong-count-of-arcs__corrupt", with_u32(sweep, arcs_at, 20'001));
  add("verified__more-arcs-than-bytes__truncated", with_u32(sweep, arcs_at, 3));
  add("verified__arc-backwards__corrupt", spliced(sweep, arc_at, 1, {0xFF}));
  add("verified__arc-without-time__corrupt",
      spliced(sweep, arc_at + kArcTimesAt + 8, 8, Bytes(8, 0xFF)));  // until -1, as since
  add("verified__arc-of-level-0__corrupt", with_u8(sweep, arc_at + kArcLevelAt, 0));
  add("verified__arc-of-level-3__format-too-new", with_u8(sweep, arc_at + kArcLevelAt, 3));
  add("verified__overlong-count-of-damaged__corrupt", with_u32(sweep, damaged_at, 10'001));
  add("verified__more-damaged-than-bytes__truncated", with_u32(sweep, damaged_at, 100));
  add("verified__damaged-of-level-0__corrupt", with_u8(sweep, damaged_at + 4 + kFactLevelAt, 0));
  add("verified__damaged-of-level-3__format-too-new", with_u8(sweep, damaged_at + 4 + kFactLevelAt, 3));
  add("verified__overlong-count-of-rebuilt__corrupt", with_u32(sweep, rebuilt_at, 20'001));
  add("verified__more-rebuilt-than-bytes__truncated", with_u32(sweep, rebuilt_at, 3));
  add("verified__rebuilt-with-outcome-2__corrupt", with_u8(sweep, rebuilt_at + 4 + kFactLevelAt, 2));
  const std::size_t moments_at = rebuilt_at + 4 + 2 * kFactBytes;
  add("verified__overlong-count-of-moments__corrupt", with_u32(sweep, moments_at, 2'001));
  add("verified__more-moments-than-bytes__truncated", with_u32(sweep, moments_at, 2));
  add("verified__more-proven-than-stored__corrupt", with_u32(sweep, moments_at + 4 + 16, 599));
  const std::string with_a_number = "verified/00112233445566778899aabbccddeeff-00000001";
  add("names__verified-with-a-number__corrupt", Bytes(with_a_number.begin(), with_a_number.end()));
}

}  // namespace drs::golden
