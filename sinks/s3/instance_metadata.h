// The metadata service of an EC2 instance (IMDSv2): the credentials of its role, and its region.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
#pragma once

#include <string>

#include "io/result.h"
#include "sinks/http_message.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/s3/aws_profile.h"
#include "sinks/surroundings.h"

namespace drs {

// Asked at AWS_EC2_METADATA_SERVICE_ENDPOINT or the profile's ec2_metadata_service_endpoint, else at the link-local
// address of IPv4, or of IPv6 where AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE or ec2_metadata_service_endpoint_mode says
// so. Version 1, without a token, is not spoken.

// Nothing where AWS_EC2_METADATA_DISABLED is true, where nobody answers (not on EC2), and on an instance without a
// role. Errors: kUsage (the endpoint), kDenied, kUnavailable.
Result<CredentialsLookup> instance_metadata_credentials(const Surroundings& surroundings, const AwsProfile& profile);

// "eu-central-1". Errors: as above; kUnavailable where nobody answers.
Result<std::string> instance_metadata_region(const Surroundings& surroundings, const AwsProfile& profile);

}  // namespace drs
