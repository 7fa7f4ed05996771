// The stores that the contract holds (tests/sinks/object_store_contract_test.cc), each made anew for every test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sinks/object_store.h"

namespace drs::test {

// A store and what it borrows: a directory, a clock, a spool. The store goes first.
struct MadeStore {
  std::shared_ptr<void> environment;
  std::unique_ptr<ObjectStore> store;
};

struct StoreKind {
  std::string name;
  std::function<MadeStore()> make;  // without objects
};

// All kinds of store. If the environment names a bucket (DRSTREAM_TEST_S3 or DRSTREAM_TEST_GCS_BUCKET), only the store
// of that bucket, below a prefix of its own for each store that is made.
std::vector<StoreKind> contract_stores();

}  // namespace drs::test
