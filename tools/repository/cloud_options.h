// Converts the options of repositories in a bucket into those of their stores.
#pragma once

#include "io/base/cancel.h"
#include "sinks/cloud/cloud_store.h"
#include "sinks/cloud/s3/s3_put_options.h"
#include "tools/repository/global_options.h"

namespace drs {

// What a command passes to the stores that it opens.
struct StoreEnvironment {
  CancelToken* cancel = nullptr;    // must outlive the store
  StoreOutage::Report report = {};  // reports an outage to the operator
};

// Of a bucket of any kind.
CloudStoreOptions cloud_store_options(const CloudOptions& options, const StoreEnvironment& opened_by);

// How S3 is asked to treat stored objects. Errors: kUsage.
Result<S3PutOptions> s3_put_options(const CloudOptions& options);

// A directory has none of these options. Errors: kUsage, naming the first one that was given.
Result<void> refuse_object_options(const CloudOptions& options, const std::string& place);

}  // namespace drs
