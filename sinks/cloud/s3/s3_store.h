// An ObjectStore in a bucket of S3, or of a server with the same protocol (MinIO, Ceph, R2).
#pragma once

#include <memory>

#include "io/base/clock.h"
#include "sinks/cloud/cloud_store.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/cloud/s3/s3_address.h"
#include "sinks/cloud/s3/s3_protocol.h"

namespace drs {

// `clock` must outlive the store. Errors of its operations besides those of the contract: kUsage (wrong region, or the
// server lacks a required function), kNoRepository (no such bucket).
Result<std::unique_ptr<ObjectStore>> open_s3_store(S3Address address,
                                                   std::shared_ptr<AwsCredentialsProvider> credentials,
                                                   const Clock& clock, S3ProtocolOptions protocol,
                                                   CloudStoreOptions options);

}  // namespace drs
