#include "engine/repository/pack_catalog.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "engine/format/document.h"
#include "engine/format/kinds.h"
#include "engine/format/manifest.h"
#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

bool by_name(const PackInfo& a, const PackInfo& b) {
  return a.name < b.name;
}

PackInfo* find_sorted(std::vector<PackInfo>& packs, const Digest& name) {
  PackInfo key;
  key.name = name;
  const auto at = std::lower_bound(packs.begin(), packs.end(), key, by_name);
  return at != packs.end() && at->name == name ? &*at : nullptr;
}

Result<CondemnedPacks> read_condemned(Repository& repository, const std::string& name, Result<Bytes> read) {
  DRS_ASSIGN_OR_RETURN(const Bytes object, std::move(read));
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(repository.keys(), ObjectKind::kCondemned, name, object));
  return decode_condemned(body);
}

}  // namespace

std::string CondemnedList::Unreadable::warning() const {
  return name + " cannot be read: " + error.message +
         "; it may condemn any pack of the repository, so none of them is reused: a push stores its data in full; "
         "next: "
         "restore this object from a copy of this store, and never remove it, since a prune may still delete the packs "
         "that it names";
}

Result<CondemnedList> PackCatalog::load_condemned(Repository& repository, UnreadableCondemned unreadable) {
  Listing now;
  return load_condemned_from(repository, unreadable, now);
}

Result<CondemnedList> PackCatalog::load_condemned_from(Repository& repository, UnreadableCondemned unreadable,
                                                       Listing& listing) {
  ListingRounds rounds;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    DRS_ASSIGN_OR_RETURN(CondemnedList condemned, read_listed_condemned(repository, unreadable, listing, rounds));
    if (!rounds.next()) return condemned;
  }
  return Error(ErrorCode::kUnavailable,
               "records under condemned/ vanish each time they are listed: run the command again when the prunes of "
               "this repository have ended");
}

Result<CondemnedList> PackCatalog::read_listed_condemned(Repository& repository, UnreadableCondemned unreadable,
                                                         Listing& listing, ListingRounds& rounds) {
  ObjectStore& store = repository.store();
  auto listed = listing.take(store, ObjectKind::kCondemned);
  CondemnedList condemned;
  std::vector<CondemnedList::Unreadable> denied;
  bool may_read = false;  // at least one record was not denied
  if (!listed.ok() && is_damage(listed.error()) && unreadable == UnreadableCondemned::kPassOver) return condemned;
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> records, std::move(listed));
  DRS_RETURN_IF_ERROR(
      get_documents(store, records, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> bytes) -> Result<void> {
        const std::string& name = records[place].key;
        auto record = read_condemned(repository, name, std::move(bytes));
        if (!record.ok() && record.error().code == ErrorCode::kDenied) {
          denied.push_back({name, std::move(record).error()});
          return {};
        }
        may_read = true;
        if (record.ok()) {
          condemned.packs.insert(condemned.packs.end(), record->packs.begin(), record->packs.end());
          return {};
        }
        Error error = std::move(record).error();
        if (is_absent(error)) {
          if (!rounds.is_absent_again(name)) return {};
          error = listed_but_absent();
        }
        const bool passed_over = unreadable == UnreadableCondemned::kPassOver && is_damage(error);
        if (!passed_over && !is_lasting_damage(error)) return std::move(error).with_context(name);
        condemned.unreadable.push_back({name, std::move(error)});
        return {};
      }));
  if (!denied.empty() && !may_read && unreadable == UnreadableCondemned::kDistrust)
    return std::move(denied.front().error)
        .with_context(
            "no record under condemned/ may be read, so it is unknown which packs a prune deletes; allow these "
            "credentials to read (get) every object there (`drstream policy` prints the rules): " +
            denied.front().name);
  // If others can be read, the store denies this object alone; the role does not lack a permission.
  condemned.unreadable.insert(condemned.unreadable.end(), std::move_iterator(denied.begin()),
                              std::move_iterator(denied.end()));
  return condemned;
}

Result<PackCatalog> PackCatalog::load(Repository& repository, UnreadableCondemned unreadable) {
  Listing now;
  return load_from(repository, unreadable, now);
}

Result<PackCatalog> PackCatalog::load_from(Repository& repository, UnreadableCondemned unreadable, Listing& listing) {
  DRS_ASSIGN_OR_RETURN(CondemnedList condemned, load_condemned_from(repository, unreadable, listing));
  return make(repository, unreadable, std::move(condemned), listing);
}

Result<PackCatalog> PackCatalog::load_with(Repository& repository, Listing& listing, std::span<const ObjectKind> with) {
  constexpr auto kDistrust = UnreadableCondemned::kDistrust;
  DRS_ASSIGN_OR_RETURN(CondemnedList condemned, load_condemned_from(repository, kDistrust, listing));
  std::vector<ObjectKind> kinds(with.begin(), with.end());
  kinds.insert(kinds.end(), {ObjectKind::kPack, ObjectKind::kDamaged});
  DRS_ASSIGN_OR_RETURN(Listing newer, Listing::make_or_defer(repository.store(), kinds));
  listing.replace(kinds, std::move(newer));
  return make(repository, kDistrust, std::move(condemned), listing);
}

Result<PackCatalog> PackCatalog::make(Repository& repository, UnreadableCondemned unreadable, CondemnedList condemned,
                                      Listing& listing) {
  PackCatalog catalog;
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> packs, listing.take(repository.store(), ObjectKind::kPack));
  catalog.occupied_folders_ = listing.occupied_folders();
  const bool may_be_condemned = unreadable == UnreadableCondemned::kDistrust && !condemned.unreadable.empty();
  for (const ObjectInfo& info : packs) {
    PackInfo pack;
    pack.name = parse_name(info.key)->digest;
    pack.bytes = info.size_bytes;
    pack.stored_ns = info.modified_ns;
    pack.changed_ns = info.changed_ns;
    pack.billed_days = info.billed_days;
    pack.may_be_condemned = may_be_condemned;
    catalog.packs_.push_back(pack);
  }
  std::sort(catalog.packs_.begin(), catalog.packs_.end(), by_name);
  for (const Digest& name : condemned.packs)
    if (PackInfo* pack = find_sorted(catalog.packs_, name)) pack->condemned = true;
  catalog.unreadable_ = std::move(condemned.unreadable);
  DRS_RETURN_IF_ERROR(catalog.load_marks_of(repository, listing));
  for (const auto& [name, marks] : catalog.marks_)
    if (PackInfo* pack = find_sorted(catalog.packs_, name)) pack->marked = true;
  return catalog;
}

Result<void> PackCatalog::load_marks_of(Repository& repository, Listing& listing) {
  auto marks = [&]() -> Result<MarkedPacks> {
    DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> damaged, listing.take(repository.store(), ObjectKind::kDamaged));
    return load_marks(repository.store(), damaged);
  }();
  if (marks.ok()) {
    marks_ = *std::move(marks);
    return {};
  }
  if (!is_object_fault(marks.error()) && marks.error().code != ErrorCode::kDenied) return std::move(marks).error();
  marks_problem_ = std::move(marks).error();
  return {};
}

std::optional<std::string> PackCatalog::marks_warning() const {
  if (!marks_problem_) return std::nullopt;
  return marks_problem_->message +
         "; which packs are marked as damaged is not known, so a snapshot that is stored now may rely on damaged "
         "blocks: run `drstream verify --read-data`, and push or copy again if it finds damage";
}

const PackMarks* PackCatalog::marks_of(const Digest& name) const {
  const auto found = marks_.find(name);
  return found == marks_.end() ? nullptr : &found->second;
}

bool PackCatalog::usable(const PackInfo& pack, std::uint32_t offset_bytes, std::uint32_t bytes) const {
  if (pack.condemned || pack.may_be_condemned) return false;
  if (!pack.marked) return true;
  const PackMarks* const marks = marks_of(pack.name);
  return marks == nullptr || !marks->covers(offset_bytes, bytes);
}

bool PackCatalog::lists_the_packs_of(const PackCatalog& other) const {
  return std::equal(packs_.begin(), packs_.end(), other.packs_.begin(), other.packs_.end(),
                    [](const PackInfo& a, const PackInfo& b) { return a.name == b.name; });
}

const PackInfo* PackCatalog::find(const Digest& name) const {
  if (const PackInfo* pack = find_sorted(const_cast<std::vector<PackInfo>&>(packs_), name)) return pack;
  for (const PackInfo& pack : added_)
    if (pack.name == name) return &pack;
  return nullptr;
}

void PackCatalog::add(const Digest& name, std::uint64_t bytes) {
  PackInfo pack;
  pack.name = name;
  pack.bytes = bytes;
  added_.push_back(pack);
  // Merge the short unsorted tail now and then, so that `find` stays logarithmic.
  if (added_.size() >= 64) {
    std::sort(added_.begin(), added_.end(), by_name);
    const auto middle = static_cast<std::ptrdiff_t>(packs_.size());
    packs_.insert(packs_.end(), added_.begin(), added_.end());
    added_.clear();
    std::inplace_merge(packs_.begin(), packs_.begin() + middle, packs_.end(), by_name);
  }
}

std::uint64_t PackCatalog::total_bytes() const {
  std::uint64_t total = 0;
  for (const auto* const packs : {&packs_, &added_})
    for (const PackInfo& pack : *packs) total += std::min<std::uint64_t>(pack.bytes, kPackBytesMax);
  return total;
}

}  // namespace drs
