// golden_writer DIR: writes the golden repository (see golden.h) and the malformed inputs below DIR. Run once per
// format version; its output is committed and never rewritten.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "tests/engine/format/golden.h"
#include "tests/engine/format/golden_proving.h"
#include "tests/engine/format/golden_topics.h"
#include "tests/engine/format/malformed.h"

namespace {

void write_file(const std::filesystem::path& path, drs::ByteView bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << drs::as_text(bytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: golden_writer DIR\n", stderr);
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  using namespace drs;
  std::map<std::string, Bytes> objects = golden::reproducible_objects();
  const golden::BuiltPack raw = golden::build_pack("raw pack", golden::raw_pack_blocks());
  const golden::BuiltPack compressed = golden::build_pack("compressed pack", golden::compressed_pack_blocks());
  const Bytes index = golden::index_object(
      {golden::contents_of(raw.object, raw.table), golden::contents_of(compressed.object, compressed.table)});
  objects[pack_name(sha256(compressed.object))] = compressed.object;
  objects[index_name(sha256(index))] = index;
  for (const auto& [name, object] : objects) write_file(directory / "v1" / name, object);
  write_file(directory / "v1" / "expected.json", as_bytes(golden::expected_json(objects)));
  const std::map<std::string, Bytes> retention = golden::retention_objects();
  for (const auto& [name, object] : retention) write_file(directory / "v1-retention" / name, object);
  write_file(directory / "v1-retention" / "expected.json", as_bytes(golden::expected_retention_json(retention)));
  for (const auto& [name, object] : golden::proving_objects()) write_file(directory / "v1-proving" / name, object);
  write_file(directory / "v1-proving" / "expected.json", as_bytes(golden::expected_proving_json()));
  for (const auto& [label, stream] : golden::topic_streams()) write_file(directory / "v1-topics" / label, stream);
  write_file(directory / "v1-topics" / "expected.json", as_bytes(golden::expected_topics_json()));
  for (const auto& [name, bytes] : golden::malformed_inputs()) write_file(directory / "malformed" / name, bytes);
  for (const auto& [name, bytes] : golden::well_formed_inputs()) write_file(directory / "seeds" / name, bytes);
  return 0;
}
