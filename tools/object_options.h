// From the options of object stores to what S3 is asked to do with what is stored.
#pragma once

#include "sinks/s3/s3_put_options.h"
#include "tools/global_options.h"

namespace drs {

// Errors: kUsage.
Result<S3PutOptions> s3_put_options(const CloudOptions& options);

// What stands in a directory has none of this. Errors: kUsage, naming the first option that was given.
Result<void> refuse_object_options(const CloudOptions& options, const std::string& place);

}  // namespace drs
