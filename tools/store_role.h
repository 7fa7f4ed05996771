// Who a store's credentials are for: each role does a part of the work, and can do no more harm than that part needs.
#pragma once

#include <cstdint>

namespace drs {

enum class StoreRole : std::uint8_t {
  kWriter,   // push, pull, list, verify, scrub: creates objects and reads them
  kSweeper,  // verify, scrub, list, pull: reads, and marks what is damaged
  kPruner,   // reads, removes, and writes what removal leaves
};

}  // namespace drs
