#include "sinks/s3/aws_endpoint.h"

#include <algorithm>

namespace drs {
namespace {

constexpr std::size_t kRegionLengthMax = 63;  // a part of a host name

struct Partition {
  std::string_view region_prefix;
  std::string_view domain;
};

// As in botocore's partitions.json; every other region is in "aws" or "aws-us-gov", which share a domain.
constexpr Partition kPartitions[] = {
    {"cn-", "amazonaws.com.cn"},   {"eusc-", "amazonaws.eu"},      {"us-iso-", "c2s.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov"}, {"eu-isoe-", "cloud.adc-e.uk"}, {"us-isof-", "csp.hci.ic.gov"},
};

}  // namespace

Result<void> check_aws_region(std::string_view region) {
  const bool good = !region.empty() && region.size() <= kRegionLengthMax &&
                    std::all_of(region.begin(), region.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }) &&
                    region.front() != '-' && region.back() != '-';
  if (good) return {};
  return Error{ErrorCode::kUsage,
               "'" + std::string(region) + "' is no region: a name such as eu-central-1, of a-z, 0-9 and '-'"};
}

std::string_view aws_domain(std::string_view region) {
  for (const Partition& partition : kPartitions)
    if (region.starts_with(partition.region_prefix)) return partition.domain;
  return "amazonaws.com";
}

}  // namespace drs
