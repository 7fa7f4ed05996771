// The metadata service of an EC2 instance (IMDSv2): the credentials of its role, and its region.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
#pragma once

#include <string>

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/cloud/s3/aws_profile.h"
#include "sinks/transport/environment.h"
#include "sinks/transport/http_message.h"

namespace drs {

// Asks at AWS_EC2_METADATA_SERVICE_ENDPOINT or ec2_metadata_service_endpoint of the profile, else at the link-local
// address of IPv4, or of IPv6 if AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE or ec2_metadata_service_endpoint_mode says so.
// Does not use version 1, which has no token.

// Returns nothing if AWS_EC2_METADATA_DISABLED is true, if no service answers (not on EC2), and on an instance without
// a role. Errors: kUsage (the endpoint), kDenied, kUnavailable.
Result<CredentialsLookup> instance_metadata_credentials(const Environment& environment, const AwsProfile& profile);

// "eu-central-1". Errors: as above; kUnavailable if no service answers.
Result<std::string> instance_metadata_region(const Environment& environment, const AwsProfile& profile);

}  // namespace drs
