#include "engine/repository/verified_arcs.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "codecs/sha256.h"

namespace drs {
namespace {

NamesDigest shortened(Sha256& names) {
  const Digest whole = names.finish();
  NamesDigest out;
  std::memcpy(out.data.data(), whole.data.data(), out.data.size());
  return out;
}

bool is_eligible(const ArcsRequest& request, const PackInfo& pack) {
  return !pack.condemned && there_since_ns(pack) <= request.listed_ns;
}

// The runs of proven packs among those whose time is in the window.
class Runs {
 public:
  Runs(const ArcsRequest& request, WallNs since_ns, WallNs until_ns)
      : request_(request), since_ns_(since_ns), until_ns_(until_ns) {}

  void take(const PackInfo& pack, bool proven) {
    if (!proven) return end();
    if (!arc_) {
      arc_ = VerifiedArc{.from = pack.name,
                         .to = pack.name,
                         .since_ns = since_ns_,
                         .until_ns = until_ns_,
                         .listed_ns = request_.listed_ns,
                         .names = {},
                         .level = request_.level,
                         .proven_ns = request_.proven_ns};
      names_.emplace();
    }
    arc_->to = pack.name;
    ++arc_->packs;
    arc_->bytes += pack.bytes;
    names_->update(pack.name.view());
  }
  void end() {
    if (!arc_) return;
    arc_->names = shortened(*names_);
    arcs.push_back(*arc_);
    arc_.reset();
  }

  std::vector<VerifiedArc> arcs;

 private:
  const ArcsRequest& request_;
  const WallNs since_ns_, until_ns_;
  std::optional<VerifiedArc> arc_;  // the open one
  std::optional<Sha256> names_;
};

std::vector<VerifiedArc> runs_of_all_times(const ArcsRequest& request) {
  Runs runs(request, -1, request.listed_ns);
  for (std::size_t i = 0; i < request.packs.size(); ++i)
    if (is_eligible(request, request.packs[i])) runs.take(request.packs[i], request.proven[i]);
  runs.end();
  return std::move(runs.arcs);
}

std::vector<VerifiedArc> runs_of_each_time(const ArcsRequest& request) {
  std::vector<WallNs> bounds = request.bounds;
  bounds.push_back(request.listed_ns);
  std::ranges::sort(bounds);
  std::erase_if(bounds, [&](WallNs bound) { return bound < 0 || bound > request.listed_ns; });
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  std::vector<Runs> windows;
  windows.reserve(bounds.size());
  for (std::size_t i = 0; i < bounds.size(); ++i)
    windows.emplace_back(request, i == 0 ? WallNs{-1} : bounds[i - 1], bounds[i]);
  for (std::size_t i = 0; i < request.packs.size(); ++i) {
    const PackInfo& pack = request.packs[i];
    if (!is_eligible(request, pack)) continue;
    const auto window = std::ranges::lower_bound(bounds, there_since_ns(pack)) - bounds.begin();
    windows[static_cast<std::size_t>(window)].take(pack, request.proven[i]);
  }
  std::vector<VerifiedArc> arcs;
  for (Runs& window : windows) {
    window.end();
    arcs.insert(arcs.end(), window.arcs.begin(), window.arcs.end());
  }
  return arcs;
}

}  // namespace

WallNs there_since_ns(const PackInfo& pack) {
  return std::max<WallNs>({pack.stored_ns, pack.changed_ns, 0});
}

bool is_within(const VerifiedArc& arc, const PackInfo& pack) {
  const WallNs there_ns = there_since_ns(pack);
  return !pack.condemned && arc.from <= pack.name && pack.name <= arc.to && arc.since_ns < there_ns &&
         there_ns <= arc.until_ns;
}

std::span<const PackInfo> between(std::span<const PackInfo> packs, const Digest& from, const Digest& to) {
  const auto first = std::ranges::lower_bound(packs, from, {}, &PackInfo::name);
  const auto last = std::ranges::upper_bound(packs, to, {}, &PackInfo::name);
  return first < last ? std::span(first, last) : std::span<const PackInfo>();
}

NamesDigest names_digest(const VerifiedArc& arc, std::span<const PackInfo> packs) {
  Sha256 names;
  for (const PackInfo& pack : between(packs, arc.from, arc.to))
    if (is_within(arc, pack)) names.update(pack.name.view());
  return shortened(names);
}

std::vector<VerifiedArc> arcs_of(const ArcsRequest& request) {
  std::vector<VerifiedArc> of_all = runs_of_all_times(request);
  std::vector<VerifiedArc> of_each = runs_of_each_time(request);
  return of_each.size() < of_all.size() ? of_each : of_all;
}

}  // namespace drs
