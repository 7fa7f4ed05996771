#include "engine/format/topic_catalogue.h"

#include <gtest/gtest.h>

#include <functional>

#include "codecs/xxh3.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

RecordDigest digest(std::string_view label) {
  RecordDigest out;
  out.add(golden::fixed_uuid(label));
  return out;
}

Extent extent(std::int64_t from, std::int64_t to) {
  return {.topic = 4,
          .partition = 7,
          .from = from,
          .to = to,
          .records = static_cast<std::uint64_t>(to - from) - 10,
          .payload_bytes = 12'345,
          .least_ms = -1,
          .greatest_ms = 5,
          .missing_offsets = 10,
          .gaps = 3,
          .digest = digest("extent"),
          .last_offset = to - 1,
          .last_hash = digest("last").stored(),
          .index_place = 4'000,
          .index_bytes = 60};
}

// A window of 50 offsets, and a whole extent.
std::vector<CatalogueExtent> page_extents() {
  return {{.stream = 2, .from = 150, .to = 200, .records = 45, .digest = digest("window"), .extent = extent(100, 200)},
          {.stream = 1, .from = 300, .to = 400, .records = 90, .digest = digest("extent"), .extent = extent(300, 400)}};
}

Bytes page_of(const std::vector<CatalogueExtent>& extents) {
  Bytes page;
  ByteWriter writer(page);
  for (const CatalogueExtent& entry : extents) write_catalogue_extent(writer, entry);
  return page;
}

constexpr std::uint64_t kPlace = 2 * kCatalogueExtentBytes;  // after one page of two extents

TopicCatalogue catalogue() {
  CataloguePartition partition{.number = 7};
  partition.state = PartitionState::kPartial;
  partition.log_start = 150;
  partition.last_stable = 390;
  partition.high_watermark = 410;
  partition.lost_offsets = 100;
  partition.records = 135;
  partition.from = 150;
  partition.to = 400;
  partition.extents = 2;
  CatalogueTopic orders{.name = "orders",
                        .generation = 1,
                        .id = {},
                        .replication = 3,
                        .configs = {{.name = "cleanup.policy", .value = "compact", .source = ConfigSource::kTopic},
                                    {.name = "retention.ms", .value = "", .source = ConfigSource::kBroker},
                                    {.name = "secret", .value = {}, .source = ConfigSource::kUnknown}},
                        .partitions = {CataloguePartition(), partition}};
  CatalogueTopic again = orders;
  again.generation = 2;
  again.id = golden::fixed_uuid("orders");
  again.partitions.clear();
  return {.topics = {orders, again},
          .groups = {{.name = "", .offsets = {}},
                     {.name = "billing",
                      .offsets = {{.partition = {"orders", 0}, .offset = 7, .metadata = "caf\xe9"},
                                  {.partition = {"orders", 7}, .offset = 200, .metadata = ""}}}},
          .cluster = {.id = "MkU3OEVBNTcwNTJENDM2Qg",
                      .client = "librdkafka 2.0.2",
                      .brokers = 3,
                      .captured_ns = 1'700'000'000'123'456'789,
                      .groups_ns = 1'700'000'000'000'000'000,
                      .read_uncommitted = true,
                      .history = "90d"}};
}

struct Placed {
  Bytes bytes;
  [[nodiscard]] std::uint64_t end() const { return kPlace + bytes.size(); }
  [[nodiscard]] ByteView sections() const { return ByteView(bytes).first(bytes.size() - kCatalogueTrailerBytes); }
  [[nodiscard]] ByteView trailer() const { return ByteView(bytes).last(kCatalogueTrailerBytes); }
};

Result<TopicCatalogue> decoded(const Bytes& end) {
  const Placed source{end};
  DRS_ASSIGN_OR_RETURN(const CatalogueTrailer trailer, decode_catalogue_trailer(source.trailer(), source.end()));
  return decode_catalogue(trailer, source.sections());
}

using Section = std::pair<std::uint16_t, Bytes>;

std::vector<Section> sections_of(const TopicCatalogue& source) {
  const Placed placed{encode_catalogue_end(source, kPlace)};
  const auto trailer = decode_catalogue_trailer(placed.trailer(), placed.end());
  EXPECT_TRUE(trailer.ok());
  std::vector<Section> sections;
  ByteReader table(placed.sections().subspan(trailer->table_place - kPlace), "test");
  for (std::uint32_t i = 0; i < trailer->sections; ++i) {
    const std::uint16_t kind = table.u16();
    table.raw(6);
    const std::uint64_t place = table.u64();
    const ByteView bytes = placed.sections().subspan(place - kPlace, table.u64());
    sections.emplace_back(kind, Bytes(bytes.begin(), bytes.end()));
  }
  return sections;
}

// The end of a catalogue with these sections, as a later version might write it.
Bytes with_sections(const std::vector<Section>& sections) {
  Bytes out;
  ByteWriter writer(out);
  for (const auto& [kind, bytes] : sections) writer.raw(bytes);
  const std::uint64_t table_place = kPlace + out.size();
  std::uint64_t place = kPlace;
  for (const auto& [kind, bytes] : sections) {
    writer.u16(kind);
    writer.u16(0);
    writer.u32(0);
    writer.u64(place);
    writer.u64(bytes.size());
    place += bytes.size();
  }
  const std::uint64_t end_place = kPlace + out.size();
  const Xxh3Digest xxh3 = xxh3_128(out);
  writer.raw(as_bytes("drs-cat"));
  writer.u8(1);
  writer.u64(kPlace);
  writer.u64(table_place);
  writer.u64(end_place);
  writer.u32(static_cast<std::uint32_t>(sections.size()));
  writer.u32(0);
  writer.u64(0);
  writer.raw(xxh3.view());
  return out;
}

ErrorCode error_of(const TopicCatalogue& source) {
  const auto got = decoded(encode_catalogue_end(source, kPlace));
  EXPECT_FALSE(got.ok());
  return got.ok() ? ErrorCode::kInternal : got.error().code;
}

TEST(ExtentPage, RoundTrips) {
  const Bytes page = page_of(page_extents());
  EXPECT_EQ(page.size(), 2 * kCatalogueExtentBytes);
  const auto got = decode_extent_page(page, 7);
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(*got, page_extents());
  EXPECT_TRUE(decode_extent_page({}, 7)->empty());
}

TEST(ExtentPage, RefusesWindowsThatDoNotFit) {
  using Entries = std::vector<CatalogueExtent>;
  const std::function<void(Entries&)> changes[] = {
      [](Entries& e) { e[0].stream = 0; },
      [](Entries& e) { e[0].from = 99; },
      [](Entries& e) { e[0].to = 201; },
      [](Entries& e) { e[0].to = 149; },
      [](Entries& e) { e[0].records = 51; },
      [](Entries& e) { e[0].records = 39; },  // the other 50 offsets do not hold 51 records
      [](Entries& e) { e[0].records = 0; },
      [](Entries& e) { e[0].from = 199, e[0].to = 200, e[0].records = 0; },  // with a digest
      [](Entries& e) { e[1].digest = digest("other"); },
      [](Entries& e) { e[1].extent.partition = 8; },
      [](Entries& e) { e[1].extent.records = 89; },
      [](Entries& e) { e[1].digest = RecordDigest::of_stored(golden::fixed_uuid("too large")); },
      [](Entries& e) { std::swap(e[0], e[1]); },
      [](Entries& e) { e[1] = e[0]; },
  };
  for (std::size_t n = 0; n < std::size(changes); ++n) {
    Entries entries = page_extents();
    changes[n](entries);
    const auto got = decode_extent_page(page_of(entries), 7);
    ASSERT_FALSE(got.ok()) << n;
    EXPECT_EQ(got.error().code, ErrorCode::kCorrupt) << n << ": " << got.error().message;
  }
  const Bytes page = page_of(page_extents());
  EXPECT_FALSE(decode_extent_page(ByteView(page).first(page.size() - 1), 7).ok());
}

TEST(TopicCatalogue, RoundTrips) {
  for (const TopicCatalogue& source : {catalogue(), TopicCatalogue()}) {
    const Bytes end = encode_catalogue_end(source, kPlace);
    const auto got = decoded(end);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(*got, source);
    EXPECT_EQ(encode_catalogue_end(*got, kPlace), end);
    EXPECT_EQ(with_sections(sections_of(source)), end);
  }
}

TEST(TopicCatalogue, DetectsEveryFlippedBit) {
  const Bytes good = encode_catalogue_end(catalogue(), kPlace);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes flipped = good;
    flipped[bit / 8] = static_cast<Byte>(flipped[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(decoded(flipped).ok()) << bit;
  }
}

TEST(TopicCatalogue, IgnoresSectionsOfLaterVersions) {
  std::vector<Section> sections = sections_of(catalogue());
  sections.emplace_back(4, Bytes(100, 1));
  sections.emplace_back(0xFFFF, Bytes());
  const auto got = decoded(with_sections(sections));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(*got, catalogue());
}

TEST(TopicCatalogue, NeedsTopicsAndClusterButNoGroups) {
  std::vector<Section> sections = sections_of(catalogue());
  ASSERT_EQ(sections.size(), 3U);
  for (std::size_t without = 0; without < 3; ++without) {
    std::vector<Section> rest = sections;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(without));
    const auto got = decoded(with_sections(rest));
    ASSERT_EQ(got.ok(), without == 1);
    if (got.ok()) {
      EXPECT_TRUE(got->groups.empty());
    } else {
      EXPECT_EQ(got.error().code, ErrorCode::kCorrupt);
    }
  }
}

TEST(TopicCatalogue, RefusesSectionsThatNoWriterWrites) {
  const std::vector<Section> good = sections_of(catalogue());
  std::vector<Section> swapped = good;
  std::swap(swapped[0], swapped[1]);
  std::vector<Section> twice = good;
  twice.push_back(good[2]);
  std::vector<Section> kind_0 = good;
  kind_0.insert(kind_0.begin(), Section{0, {}});
  std::vector<Section> left_over = good;
  left_over[0].second.push_back(0);
  std::vector<Section> no_group = good;
  no_group[1].second = Bytes(4);
  std::vector<Section> flag_2 = good;
  flag_2[2].second[flag_2[2].second.size() - 6] = 2;
  for (const auto& sections : {swapped, twice, kind_0, left_over, no_group, flag_2})
    EXPECT_EQ(decoded(with_sections(sections)).error().code, ErrorCode::kCorrupt);
  for (std::size_t section = 0; section < 3; ++section) {
    for (std::size_t bytes = 0; bytes < good[section].second.size(); ++bytes) {
      std::vector<Section> cut = good;
      cut[section].second.resize(bytes);
      EXPECT_FALSE(decoded(with_sections(cut)).ok());
    }
  }
}

TEST(TopicCatalogue, RefusesValuesThatNoWriterWrites) {
  const std::function<void(TopicCatalogue&)> changes[] = {
      [](TopicCatalogue& c) { c.topics[0].generation = 0; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].from = -1; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].to = 149; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].records = 251; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].extents = 0; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].extents = 3; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].extents_place = 1; },
      [](TopicCatalogue& c) { c.topics[0].partitions[1].extents_place = ~std::uint64_t{0}; },
  };
  for (const auto& change : changes) {
    TopicCatalogue source = catalogue();
    change(source);
    EXPECT_EQ(error_of(source), ErrorCode::kCorrupt);
  }
}

TEST(TopicCatalogue, UnknownStatesAndSourcesAreTooNew) {
  TopicCatalogue source = catalogue();
  source.topics[0].partitions[0].state = static_cast<PartitionState>(3);
  EXPECT_EQ(error_of(source), ErrorCode::kFormatTooNew);
  source = catalogue();
  source.topics[0].configs[0].source = static_cast<ConfigSource>(6);
  EXPECT_EQ(error_of(source), ErrorCode::kFormatTooNew);
}

TEST(TopicCatalogue, ChecksCountsBeforeItTakesMemory) {
  std::vector<Section> sections = sections_of(TopicCatalogue());
  sections[0].second = {0xFF, 0xFF, 0xFF, 0xFF};
  EXPECT_EQ(decoded(with_sections(sections)).error().code, ErrorCode::kTruncated);
}

TEST(CatalogueTrailer, RefusesOtherPlacesAndVersions) {
  const Placed good{encode_catalogue_end(catalogue(), kPlace)};
  struct Change {
    std::size_t at;
    Byte value;
    ErrorCode code;
  };
  for (const Change& change :
       {Change{0, 'D', ErrorCode::kCorrupt}, Change{7, 0, ErrorCode::kCorrupt}, Change{7, 2, ErrorCode::kFormatTooNew},
        Change{15, 1, ErrorCode::kCorrupt}, Change{23, 1, ErrorCode::kCorrupt}, Change{31, 1, ErrorCode::kCorrupt},
        Change{32, 4, ErrorCode::kCorrupt}, Change{36, 1, ErrorCode::kCorrupt}, Change{47, 1, ErrorCode::kCorrupt}}) {
    Bytes trailer(good.trailer().begin(), good.trailer().end());
    trailer[change.at] = change.value;
    EXPECT_EQ(decode_catalogue_trailer(trailer, good.end()).error().code, change.code) << change.at;
  }
  EXPECT_EQ(decode_catalogue_trailer(good.trailer(), good.end() + 1).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decode_catalogue_trailer(good.trailer(), 63).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decode_catalogue_trailer(good.trailer().first(63), good.end()).error().code, ErrorCode::kTruncated);
}

}  // namespace
}  // namespace drs
