#include "engine/repository/index_ends.h"

#include <algorithm>
#include <utility>

#include "engine/repository/read_again.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::size_t kReadAtOnce = 64;            // objects read at a time
constexpr std::size_t kTailReadBytes = 16 * kKiB;  // footer and summary of most index objects

struct Ends {
  Bytes head;
  Bytes tail;
};

Result<void> read_ends(ObjectStore& store, const ObjectInfo& object, Ends& ends) {
  ends.tail.resize(std::min<std::uint64_t>(object.size_bytes, kTailReadBytes));
  DRS_RETURN_IF_ERROR(get_range(store, object.key, 0, ends.head));
  return get_range(store, object.key, object.size_bytes - ends.tail.size(), ends.tail);
}

Result<IndexEnds> open_ends(const Repository& repository, ObjectStore& store, const ObjectInfo& object, Ends& ends) {
  const auto fail = [&](Error error) { return std::move(error).with_context(object.key); };
  auto envelope = decode_envelope(ends.head, ObjectKind::kIndex);
  if (!envelope.ok()) return fail(std::move(envelope).error());
  auto opener = ObjectOpener::make(repository.keys(), *envelope, "", repository.crypto());
  if (!opener.ok()) return fail(std::move(opener).error());

  Bytes& tail = ends.tail;
  auto footer = decode_index_footer(ByteView(tail).last(kIndexFooterBytes), object.size_bytes);
  if (!footer.ok()) return fail(std::move(footer).error());
  const std::size_t needed = footer->summary_sealed_bytes + kIndexFooterBytes;
  if (tail.size() < needed) {
    tail.resize(needed);
    DRS_RETURN_IF_ERROR(get_range(store, object.key, object.size_bytes - needed, tail));
  }
  const ByteView sealed = ByteView(tail).last(needed).first(footer->summary_sealed_bytes);
  Bytes plain(sealed.size() - kSealBytes);
  SealLabel label = summary_label(*footer);
  label.plain_bytes = plain.size();
  if (auto opened = opener->open(label, sealed, plain); !opened.ok()) return fail(std::move(opened).error());
  auto summary = decode_index_summary(plain, object.size_bytes);
  if (!summary.ok()) return fail(std::move(summary).error());
  return IndexEnds{envelope->salt, *std::move(summary)};
}

}  // namespace

Result<void> read_index_ends(const Repository& repository, ObjectStore& store, std::span<const ObjectInfo> objects,
                             const std::function<Result<void>(const ObjectInfo&, Result<IndexEnds>)>& visit) {
  while (!objects.empty()) {
    const auto some = objects.first(std::min(objects.size(), kReadAtOnce));
    objects = objects.subspan(some.size());
    std::vector<Ends> ends(some.size());
    std::vector<RangeRead> reads;  // two for each object whose size is possible
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::uint64_t bytes = some[i].size_bytes;
      if (bytes < kEnvelopeBytes + kIndexFooterBytes || bytes > kIndexBytesMax) continue;
      ends[i].head.resize(kEnvelopeBytes);
      ends[i].tail.resize(std::min<std::uint64_t>(bytes, kTailReadBytes));
      reads.push_back({some[i].key, 0, ends[i].head, {}});
      reads.push_back({some[i].key, bytes - ends[i].tail.size(), ends[i].tail, {}});
    }
    DRS_RETURN_IF_ERROR(get_ranges(store, reads));
    auto read = reads.begin();
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (ends[i].head.empty()) {
        DRS_RETURN_IF_ERROR(
            visit(some[i], Error(ErrorCode::kCorrupt, some[i].key + ": an index object cannot have " +
                                                          std::to_string(some[i].size_bytes) + " bytes")));
        continue;
      }
      const Result<void> both = read->result.ok() ? (read + 1)->result : read->result;
      read += 2;
      if (!both.ok()) {
        DRS_RETURN_IF_ERROR(visit(some[i], both.error()));
        continue;
      }
      bool is_first = true;
      auto opened = read_again_if_damaged([&]() -> Result<IndexEnds> {
        if (!std::exchange(is_first, false)) DRS_RETURN_IF_ERROR(read_ends(store, some[i], ends[i]));
        return open_ends(repository, store, some[i], ends[i]);
      });
      DRS_RETURN_IF_ERROR(visit(some[i], std::move(opened)));
    }
  }
  return {};
}

}  // namespace drs
