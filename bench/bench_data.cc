#include "bench/bench_data.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace drs::bench {
namespace {

constexpr std::size_t kDataBytesMax = std::size_t{64} << 20;  // far more than the caches hold
constexpr std::size_t kStretches = 32;

[[noreturn]] void give_up(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(2);
}

// All of a small file; of a large one as many stretches, evenly spread: its beginning is seldom like the rest.
Bytes read_evenly(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file ? static_cast<std::size_t>(file.tellg()) : 0;
  Bytes bytes(std::min(size, kDataBytesMax));
  const std::size_t stretches = size <= kDataBytesMax ? 1 : kStretches;
  const std::size_t stretch_bytes = bytes.size() / stretches;
  for (std::size_t i = 0; i < stretches; ++i) {
    file.seekg(static_cast<std::streamoff>(i * (size / stretches)));
    file.read(reinterpret_cast<char*>(bytes.data() + i * stretch_bytes), static_cast<std::streamsize>(stretch_bytes));
  }
  if (!file) bytes.clear();
  return bytes;
}

std::vector<DataSet> load() {
  const char* const folder = std::getenv("DRSTREAM_BENCH_DATA");
  if (folder == nullptr) give_up("set DRSTREAM_BENCH_DATA to a folder that bench/make-data has filled");
  std::vector<DataSet> sets;
  for (const char* name : {"sql-dump", "base-backup", "binaries", "random"}) {
    const std::string path = std::string(folder) + "/" + name;
    DataSet set{name, read_evenly(path)};
    if (set.bytes.empty()) give_up(path + " cannot be read: run bench/make-data FOLDER");
    sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace

const std::vector<DataSet>& data_sets() {
  static const std::vector<DataSet> sets = load();
  return sets;
}

const DataSet& data_set(std::string_view name) {
  for (const DataSet& set : data_sets())
    if (set.name == name) return set;
  give_up("there is no data set " + std::string(name));
}

}  // namespace drs::bench
