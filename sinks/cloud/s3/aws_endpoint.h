// The host names of AWS services: the domain of a region.
#pragma once

#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

// Checks that the name can be a region: a-z, 0-9 and '-', since it becomes part of host names. Errors: kUsage.
Result<void> check_aws_region(std::string_view region);

// Whether a host, without a bucket before it, belongs to S3: "s3.eu-central-1.amazonaws.com", with "dualstack", "fips"
// or "accelerate" in it, or the older "s3-eu-west-1.amazonaws.com". Other hosts below the same domain belong to
// customers of AWS.
bool is_aws_s3_host(std::string_view host);

// "amazonaws.com", "amazonaws.com.cn" for cn-*, and so on for each partition. Any region.
std::string_view aws_domain(std::string_view region);

}  // namespace drs
