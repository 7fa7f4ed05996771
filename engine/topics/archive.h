// Archives topics: reads what the last archive of the same name does not hold, writes it as a segment stream, and
// commits a snapshot that names the segments of earlier archives again. A snapshot or none, as a push.
//
// Order: the session; the lists of packs and snapshots; offsets of groups, then the ends of partitions; records; the
// catalogue; the manifest.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/format/topic_catalogue.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "engine/repository/write_session.h"
#include "engine/topics/archive_plan.h"
#include "engine/topics/consolidate.h"
#include "engine/topics/topic_memory.h"
#include "engine/topics/topic_selection.h"
#include "io/base/run_control.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

struct ArchiveOptions {
  std::string stream;  // the name of the archive in the repository
  TopicPatterns topics;
  std::string groups = "*";        // a glob: of the groups that have offsets in the topics
  std::optional<History> history;  // by default that of the last archive, or what the topics have
  bool read_uncommitted = false;
  bool new_cluster = false;                // the last archive may be of another cluster
  bool refuse_loss = false;                // fail if retention deletes records during the run before they are read
  std::function<void()> before_reading;    // called before the first record is read
  std::optional<std::uint64_t> bytes_max;  // of payload read: then the run commits what it has
  std::function<std::string()> stop;       // the same once this returns a reason
  ConsolidationLimits consolidation;
  CompressionChoice compression;
  bool read_back = true;
  bool stream_sha256 = true;
  std::map<std::string, std::string> tags;
  std::string host;
  std::string tool_version;
  HeartbeatPace heartbeats;
  std::uint64_t sequence_seen = 0;  // as PushOptions
};

// Checks what can be checked before a broker is asked. Errors: kUsage.
Result<void> validate(const ArchiveOptions& options);

// The tag of a snapshot whose run ended before everything was read; its value is the reason: "budget", "SIGTERM".
inline constexpr std::string_view kPartialTag = "partial";

struct ArchiveReport {
  std::string manifest_name;
  Digest manifest_digest;
  Manifest manifest;
  TopicCatalogue catalogue;
  std::string partial;                   // why the run ended before everything was read; empty: it did not
  std::uint64_t records_read = 0;        // in this run
  std::uint64_t payload_bytes_read = 0;  // keys, values and headers
  std::uint64_t records = 0;             // of the snapshot
  std::uint64_t rewritten_bytes = 0;     // of payload, of earlier archives
  std::uint64_t lost_offsets = 0;        // deleted by retention before they could be read
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;
  PushStats stats;
  std::chrono::duration<double> elapsed{};
  std::vector<std::string> warnings;
  SnapshotCatalog snapshots_before;  // of the stream
};

struct ArchiveBudget {
  const ArchiveMemory& memory;
  BufferArena& arena;  // of memory.push.arena_bytes
};

// Both Kafka ends outlive the run and are used by it alone. Errors: kUsage; kSource (a topic is missing; the brokers
// failed, denied access or could not be reached; records were truncated; --on-loss refuse); those of push.
Result<ArchiveReport> archive(Repository& repository, TopicCluster& cluster, RecordSource& source,
                              const ArchiveOptions& options, const ArchiveBudget& budget, const RunControl& control);

// What a run would read, without reading or writing. For --dry-run.
struct ArchivePreview {
  ArchivePlan plan;
  std::vector<CatalogueGroup> groups;
};
Result<ArchivePreview> preview_archive(Repository& repository, TopicCluster& cluster, RecordSource& source,
                                       const ArchiveOptions& options, std::size_t index_cache_bytes);

}  // namespace drs
