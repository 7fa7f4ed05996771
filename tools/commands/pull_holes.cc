#include "tools/commands/pull_holes.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/format/names.h"
#include "tools/cli/descriptors.h"
#include "tools/cli/named_files.h"
#include "tools/output/output.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

// A pack that is gone leaves many: the map has the others.
constexpr std::size_t kHolesShown = 20;
constexpr std::size_t kHolesAnswered = 100;

std::string_view word_of(Loss::Cause cause) {
  switch (cause) {
    case Loss::Cause::kMissing: return "missing";
    case Loss::Cause::kDamaged: return "damaged";
    case Loss::Cause::kTooNew: return "too-new";
  }
  return "damaged";
}

nlohmann::ordered_json hole_json(const Hole& hole) {
  nlohmann::ordered_json out;
  out["offset_bytes"] = hole.stream_offset_bytes;
  out["bytes"] = hole.bytes;
  out["output_offset_bytes"] = hole.output_offset_bytes;
  out["reason"] = word_of(hole.loss.cause);
  out["block_kind"] = hole.loss.part == Loss::Part::kRecipe ? "recipe" : "data";
  if (hole.loss.pack) out["object"] = pack_name(*hole.loss.pack);
  return out;
}

// All of the document but the holes.
nlohmann::ordered_json frame_json(const Snapshot& snapshot, const RestoreRange& range, const HoleMap& map) {
  const ManifestHeader& manifest = snapshot.manifest;
  nlohmann::ordered_json out;
  out["schema"] = "drstream.holes/1";
  out["stream"] = manifest.stream;
  out["snapshot"] = snapshot.id();
  out["time"] = format_time_utc(manifest.snapshot_ns);
  out["stream_bytes"] = manifest.bytes;
  if (manifest.sha256) out["sha256"] = manifest.sha256->hex();
  out["offset_bytes"] = range.begin_bytes;
  out["bytes"] = range.end_bytes - range.begin_bytes;
  out["fill"] = map.fill() == HoleFill::kZeros ? "zeros" : "omitted";
  out["holes_bytes"] = map.bytes();
  return out;
}

}  // namespace

Result<void> check_hole_choice(const HoleChoice& choice, const std::string& output, bool exec) {
  const auto refuse = [](std::string text) { return Error(ErrorCode::kUsage, std::move(text)); };
  if (!choice.allow) {
    if (choice.omit || !choice.map.empty())
      return refuse(fmt::format("{} needs --allow-holes, which restores what damage has left",
                                choice.omit ? "--omit-holes" : "--holes"));
    return {};
  }
  if (exec)
    return refuse(
        "--allow-holes and --exec exclude each other: the command would take a stream with holes for a good one; use "
        "--output FILE, and look at the holes first");
  if (choice.map.empty()) return {};
  if (choice.map == "-" || is_stdout(choice.map)) return refuse("--holes needs a file of its own, not stdout");
  if (!output.empty() && are_one_file(choice.map, output))
    return refuse(fmt::format("--holes and --output are both '{}'", output));
  return {};
}

Result<std::unique_ptr<Sink>> open_hole_map(const HoleChoice& choice, Existing existing, IoChoice io) {
  if (choice.map.empty()) return std::unique_ptr<Sink>();
  struct stat status {};
  if (::stat(choice.map.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return Error(ErrorCode::kUsage, fmt::format("--holes '{}' is not a regular file", choice.map));
  auto sink = make_file_sink(choice.map, existing, io, std::nullopt);
  if (sink.ok()) return sink;
  Error error = std::move(sink).error().with_context("--holes");
  // Not a stored object that is missing.
  if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kUsage;
  return error;
}

Result<void> write_hole_map(Sink& sink, const Snapshot& snapshot, const RestoreRange& range, const HoleMap& map) {
  // The holes are written one by one: a document of all of them would need many times the memory of the map.
  std::string frame = dump_json(frame_json(snapshot, range, map), JsonLayout::kIndented);
  frame.resize(frame.rfind("\n}"));
  DRS_RETURN_IF_ERROR(sink.write(as_bytes(frame + ",\n  \"holes\": [")));
  std::string_view separator = "\n    ";
  for (const Hole& hole : map.holes()) {
    DRS_RETURN_IF_ERROR(sink.write(as_bytes(separator)));
    DRS_RETURN_IF_ERROR(sink.write(as_bytes(dump_json(hole_json(hole), JsonLayout::kOneLine))));
    separator = ",\n    ";
  }
  DRS_RETURN_IF_ERROR(sink.write(as_bytes(map.holes().empty() ? "]\n}\n" : "\n  ]\n}\n")));
  return sink.commit();
}

nlohmann::ordered_json first_holes_json(const HoleMap& map) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < std::min(map.holes().size(), kHolesAnswered); ++i)
    out.push_back(hole_json(map.holes()[i]));
  return out;
}

std::vector<std::string> hole_warnings(const HoleMap& map, const ManifestHeader& manifest, const HoleChoice& choice) {
  std::vector<std::string> lines;
  const std::vector<Hole>& holes = map.holes();
  if (holes.empty()) return lines;
  const std::size_t shown = std::min(holes.size(), kHolesShown);
  for (std::size_t i = 0; i < shown; ++i) {
    const Hole& hole = holes[i];
    lines.push_back(fmt::format("hole: bytes {} to {} of the stream: {} {}", hole.stream_offset_bytes,
                                hole.stream_offset_bytes + hole.bytes, word_of(hole.loss.cause),
                                hole.loss.part == Loss::Part::kRecipe ? "recipe" : "data"));
    if (hole.loss.pack) lines.back() += " in " + pack_name(*hole.loss.pack);
  }
  if (shown < holes.size())
    lines.push_back(fmt::format("and {} more holes; {}", holes.size() - shown,
                                choice.map.empty() ? "--holes FILE lists them all" : choice.map + " lists them all"));
  lines.push_back(fmt::format(
      "{}: {} bytes {}; {} was not compared, every other byte is authenticated; a replica, or a push of the same "
      "data, may still have the lost bytes: docs/INCIDENTS.md",
      counted(holes.size(), "hole"), map.bytes(),
      map.fill() == HoleFill::kZeros ? "are zeros in the output" : "are left out of the output",
      manifest.sha256 ? "the SHA-256 of the stream" : "the XXH3 of the stream"));
  return lines;
}

}  // namespace drs
