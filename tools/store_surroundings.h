// What a store in the cloud gets of the options and of the command that opens it, of whatever kind it is.
#pragma once

#include "io/cancel.h"
#include "sinks/cloud_store.h"
#include "tools/global_options.h"

namespace drs {

struct StoreSurroundings {
  CancelToken* cancel = nullptr;  // must outlive the store
  StoreOutage::Tell tell = {};    // what the operator should hear of an outage
};

CloudStoreOptions cloud_store_options(const CloudOptions& options, const StoreSurroundings& opened_by);

}  // namespace drs
