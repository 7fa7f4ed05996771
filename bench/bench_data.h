// The data that benchmarks run on: real files that bench/make-data has made, read from $DRSTREAM_BENCH_DATA. Nothing
// here is constant or repeats itself by construction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"

namespace drs::bench {

struct DataSet {
  std::string name;  // "sql-dump"
  Bytes bytes;       // at most 64 MiB, taken evenly from all of it
};

// All data sets, loaded once. Ends the program with a message when they are not there.
const std::vector<DataSet>& data_sets();
const DataSet& data_set(std::string_view name);

}  // namespace drs::bench
