#include "tools/output/snapshot_json.h"

#include <nlohmann/json.hpp>

#include "engine/repository/snapshot_selection.h"
#include "tools/output/hold_text.h"
#include "tools/output/output.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

std::string_view proof_name(ProducerKind producer) {
  switch (producer) {
    case ProducerKind::kUnseen: return "none";
    case ProducerKind::kExitStatus: return "exit-status";
    case ProducerKind::kFileEnd: return "end-of-file";
    case ProducerKind::kEndsReached: return "captured-ends";
  }
  return "none";
}

}  // namespace

nlohmann::ordered_json snapshot_json(const std::string& manifest_name, const Digest& manifest_digest,
                                     const ManifestHeader& manifest) {
  nlohmann::ordered_json out;
  out["id"] = manifest.session.hex();
  out["stream"] = manifest.stream;
  out["sequence"] = manifest.sequence;
  out["time"] = format_time_utc(manifest.snapshot_ns);
  out["started"] = format_time_utc(manifest.started_ns);
  out["finished"] = format_time_utc(manifest.finished_ns);
  if (manifest.content != ManifestContent::kBytes) out["content"] = json_word(content_name(manifest.content));
  out["bytes"] = manifest.bytes;
  if (manifest.sha256) out["sha256"] = manifest.sha256->hex();
  out["xxh3_128"] = manifest.xxh3.hex();
  out["chunks"] = manifest.chunk_count;
  out["new_bytes"] = manifest.new_bytes;
  out["stored_bytes"] = manifest.stored_bytes;
  out["host"] = manifest.host;
  out["tool_version"] = manifest.tool_version;
  nlohmann::ordered_json producer;
  producer["seen"] = manifest.producer != ProducerKind::kUnseen;
  producer["proof"] = proof_name(manifest.producer);
  if (manifest.producer == ProducerKind::kExitStatus) {
    producer["command"] = manifest.command;
    producer["exit_status"] = manifest.exit_status;
    producer["stderr_tail"] = manifest.stderr_tail;
  }
  set_text(producer, "trailer_pattern", manifest.trailer_pattern);
  out["producer"] = std::move(producer);
  out["tags"] = manifest.tags;
  out["manifest"] = manifest_name;
  out["manifest_digest"] = manifest_digest.hex();
  set_text(out, "predecessor", manifest.predecessor_name);
  return out;
}

nlohmann::ordered_json snapshot_json(const SnapshotCatalog& catalog, const Holds& holds, const Snapshot& snapshot) {
  nlohmann::ordered_json out = snapshot_json(snapshot.name, snapshot.digest, snapshot.manifest);
  out["siblings"] = nlohmann::ordered_json::array();
  for (const Snapshot& sibling : siblings_of(catalog, snapshot))
    if (sibling.id() != snapshot.id()) out["siblings"].push_back(sibling.id());
  if (const auto held = holds.find(snapshot.name); held != holds.end()) out["hold"] = hold_json(held->second);
  return out;
}

}  // namespace drs
