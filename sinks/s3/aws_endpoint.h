// Where the services of AWS answer: the domain of a region.
#pragma once

#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// Errors: kUsage for what cannot be a region: they are made of a-z, 0-9 and '-', and become part of host names.
Result<void> check_aws_region(std::string_view region);

// Whether a host, without a bucket before it, is one of S3's own: "s3.eu-central-1.amazonaws.com", with "dualstack",
// "fips" or "accelerate" in it, or of the older "s3-eu-west-1.amazonaws.com". Other hosts below the same domain belong
// to AWS's customers.
bool is_aws_s3_host(std::string_view host);

// "amazonaws.com", "amazonaws.com.cn" for cn-*, and so on for each partition. Any region.
std::string_view aws_domain(std::string_view region);

}  // namespace drs
