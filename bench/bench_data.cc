#include "bench/bench_data.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace drs::bench {
namespace {

constexpr std::size_t kDataBytesMax = std::size_t{64} << 20;  // far more than the caches hold

[[noreturn]] void give_up(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(2);
}

std::vector<DataSet> load() {
  const char* const folder = std::getenv("DRSTREAM_BENCH_DATA");
  if (folder == nullptr) give_up("set DRSTREAM_BENCH_DATA to a folder that bench/make-data has filled");
  std::vector<DataSet> sets;
  for (const char* name : {"sql-dump", "base-backup", "binaries", "random"}) {
    const std::string path = std::string(folder) + "/" + name;
    std::ifstream file(path, std::ios::binary);
    DataSet set{name, Bytes(kDataBytesMax)};
    file.read(reinterpret_cast<char*>(set.bytes.data()), static_cast<std::streamsize>(set.bytes.size()));
    set.bytes.resize(static_cast<std::size_t>(file.gcount()));
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
