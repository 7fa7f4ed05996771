#include "sinks/cloud/s3/aws_endpoint.h"

#include <algorithm>

namespace drs {
namespace {

constexpr std::size_t kRegionLengthMax = 63;  // a part of a host name

struct Partition {
  std::string_view region_prefix;
  std::string_view domain;
};

// As in partitions.json of botocore. Every other region is in "aws" or "aws-us-gov", which share a domain.
constexpr Partition kPartitions[] = {
    {"cn-", "amazonaws.com.cn"},   {"eusc-", "amazonaws.eu"},      {"us-iso-", "c2s.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov"}, {"eu-isoe-", "cloud.adc-e.uk"}, {"us-isof-", "csp.hci.ic.gov"},
};

bool is_region_label(std::string_view label) {
  return check_aws_region(label).ok() && std::count(label.begin(), label.end(), '-') >= 2 && label.back() >= '0' &&
         label.back() <= '9';
}

bool is_s3_label(std::string_view label) {
  if (label == "s3" || label == "s3-fips" || label == "s3-accelerate") return true;
  constexpr std::string_view kOlder = "s3-";
  return label.starts_with(kOlder) && is_region_label(label.substr(kOlder.size()));
}

// The part of a host before the domain of a partition, with its final dot; empty for a host outside AWS.
std::string_view below_aws_domain(std::string_view host) {
  std::string_view best;
  const auto look = [&](std::string_view domain) {
    if (host.size() > domain.size() + 1 && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.')
      best = host.substr(0, host.size() - domain.size());
  };
  look(aws_domain(""));
  for (const Partition& partition : kPartitions) look(partition.domain);
  return best;
}

}  // namespace

bool is_aws_s3_host(std::string_view host) {
  std::string_view labels = below_aws_domain(host);
  bool first = true;
  while (!labels.empty()) {
    const std::size_t dot = labels.find('.');
    const std::string_view label = labels.substr(0, dot);
    if (first ? !is_s3_label(label) : label != "dualstack" && !is_region_label(label)) return false;
    first = false;
    labels.remove_prefix(dot + 1);
  }
  return !first;
}

Result<void> check_aws_region(std::string_view region) {
  const bool good = !region.empty() && region.size() <= kRegionLengthMax &&
                    std::all_of(region.begin(), region.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }) &&
                    region.front() != '-' && region.back() != '-';
  if (good) return {};
  return Error(ErrorCode::kUsage,
               "'" + std::string(region) + "' is no region: a name such as eu-central-1, of a-z, 0-9 and '-'");
}

std::string_view aws_domain(std::string_view region) {
  for (const Partition& partition : kPartitions)
    if (region.starts_with(partition.region_prefix)) return partition.domain;
  return "amazonaws.com";
}

}  // namespace drs
