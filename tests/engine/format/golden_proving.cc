#include "tests/engine/format/golden_proving.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "tests/engine/format/golden.h"

namespace drs::golden {
namespace {

constexpr WallNs kSecond = 1'000'000'000;
constexpr WallNs kHour = 3600 * kSecond;
constexpr WallNs kListed = 1'700'100'000'000'000'000;  // the first sweep lists the packs
constexpr WallNs kAhead = 120 * kSecond;               // its machine's clock, of the store's
constexpr WallNs kBegun = kListed + 400 * kSecond;     // by that clock
constexpr WallNs kFoldedListed = kListed + 24 * kHour;
constexpr WallNs kFoldedBegun = kFoldedListed + 60 * kSecond;

// The names of packs, in ascending order.
Digest pack(std::size_t number) {
  std::vector<Digest> names;
  for (int i = 0; i < 7; ++i) names.push_back(fixed_digest("swept pack " + std::to_string(i)));
  std::ranges::sort(names);
  return names.at(number);
}

NamesDigest digest_of_names(const std::vector<std::size_t>& numbers) {
  Bytes names;
  for (const std::size_t number : numbers) ByteWriter(names).raw(pack(number).view());
  const Digest whole = sha256(names);
  NamesDigest out;
  std::memcpy(out.data.data(), whole.data.data(), out.data.size());
  return out;
}

Verified of_one_sweep() {
  Verified sweep;
  sweep.ended_ns = kBegun + 600 * kSecond;
  sweep.structure_ns = kBegun + 500 * kSecond;
  sweep.structure_whole = true;
  sweep.host = "db-4.example.org";
  sweep.tool = "drstream 0.4.0";
  // All but pack 3, which is damaged. Pack 2 came within the hour before the list: the names decide.
  sweep.arcs.push_back({.from = pack(0),
                        .to = pack(2),
                        .since_ns = -1,
                        .until_ns = kListed,
                        .listed_ns = kListed,
                        .packs = 3,
                        .bytes = 600,
                        .names = digest_of_names({0, 1, 2}),
                        .level = ProofLevel::kDecoded,
                        .proven_ns = kBegun});
  sweep.damaged.push_back({pack(3), ProofLevel::kDecoded, kBegun + 50 * kSecond});
  sweep.rebuilt.push_back({fixed_digest("rebuilt manifest"), true, kBegun + 70 * kSecond});
  sweep.rebuilt.push_back({fixed_digest("another manifest"), false, kBegun + 90 * kSecond});
  sweep.moments.push_back({sweep.ended_ns, 30 * 24 * 3600 * std::uint64_t{1'000'000'000}, 1'000, 600});
  return sweep;
}

Verified of_several() {
  Verified folded;
  folded.folded = true;
  folded.ended_ns = kFoldedBegun + 10 * kHour;
  VerifiedArc arc;
  arc.since_ns = -1;
  arc.until_ns = arc.listed_ns = kFoldedListed;
  // It counted a pack that is deleted now, so pack 2 may be another: that pack came within the hour before this list.
  arc.from = pack(1);
  arc.to = pack(2);
  arc.listed_ns = kListed;
  arc.packs = 3;
  arc.bytes = 700;
  arc.names = fixed_uuid("names of three packs");
  arc.proven_ns = kFoldedBegun;
  folded.arcs.push_back(arc);
  // It counted fewer packs than lie in it, so it proves nothing.
  arc.from = arc.to = pack(0);
  arc.packs = 0;
  arc.proven_ns = kFoldedBegun + kSecond;
  folded.arcs.push_back(arc);
  // The digest of pack 3 is right, which does not undo what was found in its blocks.
  arc.from = arc.to = pack(3);
  arc.packs = 1;
  arc.bytes = 400;
  arc.names = digest_of_names({3});
  arc.proven_ns = kFoldedBegun + 2 * kSecond;
  folded.arcs.push_back(arc);
  // What was pushed since: round the whole ring, within its times.
  arc = {.from = Digest{},
         .to = Digest{},
         .since_ns = kListed,
         .until_ns = kFoldedListed,
         .listed_ns = kFoldedListed,
         .packs = 1,
         .bytes = 50,
         .names = digest_of_names({5}),
         .level = ProofLevel::kDigest,
         .proven_ns = kFoldedBegun + 3 * kSecond};
  arc.to.data.fill(0xFF);
  folded.arcs.push_back(arc);
  // Later than the reader by more than an hour: it is ignored.
  arc.packs = 9;
  arc.since_ns = -1;
  arc.proven_ns = judging_ns() + kHour + 1;
  folded.arcs.push_back(arc);
  return folded;
}

}  // namespace

WallNs judging_ns() {
  return kFoldedListed + 30 * kHour;
}

std::vector<ProvingRecord> proving_records() {
  const Verified sweep = of_one_sweep();
  return {{verified_name(fixed_uuid("sweep")), sweep, sweep.ended_ns - kAhead},
          {verified_name(fixed_uuid("folded sweeps")), of_several(), kFoldedBegun + 40 * kHour}};
}

std::vector<SweptPack> swept_packs() {
  const WallNs begun = kBegun - kAhead;
  return {{.name = pack(0), .bytes = 100, .stored_ns = kListed - 10 * kHour, .read_ns = begun, .decoded_ns = begun},
          {.name = pack(1), .bytes = 200, .stored_ns = kListed - kHour, .read_ns = kFoldedBegun, .decoded_ns = begun},
          {.name = pack(2), .bytes = 300, .stored_ns = kListed - kHour + 1, .read_ns = begun, .decoded_ns = begun},
          {.name = pack(3), .bytes = 400, .stored_ns = kListed - 8 * kHour, .damaged = true},
          {.name = pack(4), .bytes = 500, .stored_ns = kListed + 2 * kHour, .condemned = true},
          {.name = pack(5), .bytes = 50, .stored_ns = kListed + 3 * kHour, .read_ns = kFoldedBegun + 3 * kSecond},
          {.name = pack(6), .bytes = 70, .stored_ns = kFoldedListed + 1}};
}

std::map<std::string, Bytes> proving_objects() {
  std::map<std::string, Bytes> out;
  for (const ProvingRecord& one : proving_records()) {
    const Salt salt = fixed_digest("salt " + one.name);
    out[one.name] = encode_document(keys(), ObjectKind::kVerified, one.name, encode_verified(one.record), &salt);
  }
  return out;
}

std::string expected_proving_json() {
  nlohmann::ordered_json json;
  json["repository"] = keys().repository().hex();
  json["now_ns"] = judging_ns();
  const std::map<std::string, Bytes> objects = proving_objects();
  for (const ProvingRecord& one : proving_records()) {
    const Bytes& object = objects.at(one.name);
    json["objects"][one.name] = {{"bytes", object.size()},
                                 {"sha256", sha256(object).hex()},
                                 {"stored_ns", one.stored_ns},
                                 {"folded", one.record.folded},
                                 {"arcs", one.record.arcs.size()},
                                 {"damaged", one.record.damaged.size()},
                                 {"rebuilt", one.record.rebuilt.size()},
                                 {"moments", one.record.moments.size()}};
  }
  for (const SweptPack& one : swept_packs())
    json["packs"].push_back({{"name", one.name.hex()},
                             {"bytes", one.bytes},
                             {"stored_ns", one.stored_ns},
                             {"condemned", one.condemned},
                             {"read_ns", one.read_ns},
                             {"decoded_ns", one.decoded_ns},
                             {"damaged", one.damaged}});
  return json.dump(2) + "\n";
}

}  // namespace drs::golden
