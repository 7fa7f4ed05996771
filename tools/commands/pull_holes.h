// The holes of `pull --allow-holes`: its options, the map as a file, and what stderr says of them.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/pipeline/pull/hole_map.h"
#include "engine/pipeline/pull/restore_fetcher.h"
#include "engine/repository/snapshots.h"
#include "io/file_sink.h"

namespace drs {

struct HoleChoice {
  bool allow = false;
  bool omit = false;
  std::string map;  // the file to write; empty: none
};

// `output`: the file of --output; empty: stdout. Errors: kUsage (options that exclude each other, or a map that would
// lie in the place of the output).
Result<void> check_hole_choice(const HoleChoice& choice, const std::string& output, bool exec);

// The sink of the map; null where none is wanted. It is opened before the restore, which may take hours. Errors: kUsage
// (not a regular file); those of make_file_sink.
Result<std::unique_ptr<Sink>> open_hole_map(const HoleChoice& choice, Existing existing, IoChoice io);

// Writes drstream.holes/1, a line for each hole, and commits the sink. `range`: what was restored. Errors: the sink's.
Result<void> write_hole_map(Sink& sink, const Snapshot& snapshot, const RestoreRange& range, const HoleMap& map);

// The first holes for the answer of pull, at most 100: a damaged stream has many, and `--holes FILE` has all.
nlohmann::ordered_json first_holes_json(const HoleMap& map);

// What stderr says of the holes: a line for each of the first ones, how many more there are, and what the output is
// worth. Empty if there are none.
std::vector<std::string> hole_warnings(const HoleMap& map, const ManifestHeader& manifest, const HoleChoice& choice);

}  // namespace drs
