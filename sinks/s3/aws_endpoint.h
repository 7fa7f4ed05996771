// Where the services of AWS answer: the domain of a region.
#pragma once

#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// Errors: kUsage for what cannot be a region: they are made of a-z, 0-9 and '-', and become part of host names.
Result<void> check_aws_region(std::string_view region);

// "amazonaws.com", "amazonaws.com.cn" for cn-*, and so on for each partition. Any region.
std::string_view aws_domain(std::string_view region);

}  // namespace drs
