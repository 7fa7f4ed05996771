#include "engine/repository/holds.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

struct ReadHold {
  std::uint32_t number = 0;
  WallNs stored_ns = 0;
  Result<Hold> hold = Hold{};
};

// The objects of one manifest.
struct HoldsOfOne {
  std::optional<ReadHold> kept;  // the one with the highest number, which alone counts
  std::vector<ReadHold> others;  // under holds/
};

WallNs later_until(WallNs a, WallNs b) {
  return a == 0 || b == 0 ? 0 : std::max(a, b);
}

// Adds a hold that counts until then. `kind`: of its object.
void add(Holds& holds, ObjectKind kind, const Hold& hold, WallNs until_ns) {
  const auto [entry, first] = holds.try_emplace(hold.manifest_name);
  HeldSnapshot& held = entry->second;
  if (!first && later_until(held.until_ns, until_ns) == held.until_ns) return;
  held.until_ns = first ? until_ns : later_until(held.until_ns, until_ns);
  held.reason = hold.reason;
  held.by_writer = kind == ObjectKind::kHold;
}

void add_unreadable(Holds& holds, const std::string& manifest, const Error& error) {
  HeldSnapshot& held = holds[manifest];
  held.until_ns = 0;
  held.unreadable = error;
}

// What the objects of one manifest amount to.
void judge(Holds& holds, const std::string& manifest, const HoldsOfOne& objects, WallNs now_ns) {
  std::vector<std::uint32_t> overridden;
  if (objects.kept && !objects.kept->hold.ok()) {
    add_unreadable(holds, manifest, objects.kept->hold.error());
  } else if (objects.kept) {
    const Hold& kept = *objects.kept->hold;
    overridden = kept.overrides;
    const bool released = kept.until_ns != 0 && kept.until_ns <= kept.held_ns;
    if (!released && (kept.until_ns == 0 || kept.until_ns > now_ns)) add(holds, ObjectKind::kKept, kept, kept.until_ns);
  }
  for (const ReadHold& object : objects.others) {
    if (std::ranges::binary_search(overridden, object.number)) continue;
    // Without a time of the store it counts from now on: too long rather than too short.
    const WallNs from_ns = object.stored_ns != 0 ? object.stored_ns : now_ns;
    const WallNs end_ns = from_ns + std::chrono::nanoseconds(kWriterHoldMax).count();
    if (end_ns <= now_ns) continue;
    if (!object.hold.ok()) {
      add_unreadable(holds, manifest, object.hold.error());
      continue;
    }
    const Hold& hold = *object.hold;
    const WallNs until_ns = hold.until_ns == 0 ? end_ns : std::min(hold.until_ns, end_ns);
    if (until_ns > now_ns) add(holds, ObjectKind::kHold, hold, until_ns);
  }
}

void take(HoldsOfOne& objects, ObjectKind kind, ReadHold read) {
  if (kind == ObjectKind::kHold)
    objects.others.push_back(std::move(read));
  else if (!objects.kept || objects.kept->number < read.number)
    objects.kept = std::move(read);
}

}  // namespace

Result<Holds> load_holds(Repository& repository, WallNs now_ns) {
  Listing now;
  return load_holds(repository, now_ns, now);
}

Result<Holds> load_holds(Repository& repository, WallNs now_ns, Listing& listing) {
  std::unordered_map<std::string, HoldsOfOne> by_manifest;
  for (const ObjectKind kind : {ObjectKind::kKept, ObjectKind::kHold}) {
    ListingRounds rounds;
    bool whole = false;
    std::unordered_set<std::string> known;
    for (int attempt = 0; attempt < kListAttempts && !whole; ++attempt) {
      DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> listed, listing.take(repository.store(), kind));
      std::erase_if(listed, [&](const ObjectInfo& info) { return known.contains(info.key); });
      DRS_RETURN_IF_ERROR(get_documents(
          repository.store(), listed, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
            const ObjectInfo& info = listed[place];
            auto hold = object.ok() ? open_hold(repository.keys(), info.key, *object) : Result<Hold>(object.error());
            if (!hold.ok() && is_absent(hold.error())) {
              if (!rounds.is_absent_again(info.key)) return {};
              hold = listed_but_absent();
            }
            if (!hold.ok() && !is_damage(hold.error())) return hold.error();
            known.insert(info.key);
            const auto parsed = parse_name(info.key);
            take(by_manifest[manifest_name(parsed->tag, parsed->uuid)], kind,
                 {parsed->number, info.modified_ns, std::move(hold)});
            return {};
          }));
      whole = !rounds.next();
    }
    if (!whole)
      return Error(ErrorCode::kUnavailable, "objects under " + std::string(name_prefix(kind)) +
                                                " vanish each time they are listed: run the command again");
  }
  Holds holds;
  for (const auto& [manifest, objects] : by_manifest) judge(holds, manifest, objects, now_ns);
  return holds;
}

}  // namespace drs
