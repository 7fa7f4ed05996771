// An ObjectStore in a bucket of S3, or of a server that speaks as S3 does (MinIO, Ceph, R2).
#pragma once

#include <memory>

#include "io/clock.h"
#include "sinks/cloud_store.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/s3/s3_address.h"
#include "sinks/s3/s3_protocol.h"

namespace drs {

// `clock` must outlive the store. Errors of its operations beside those of the contract: kUsage (wrong region, a server
// that lacks what is needed), kNoRepository (no such bucket).
Result<std::unique_ptr<ObjectStore>> open_s3_store(S3Address address,
                                                   std::shared_ptr<AwsCredentialsProvider> credentials,
                                                   const Clock& clock, S3ProtocolOptions protocol,
                                                   CloudStoreOptions options);

}  // namespace drs
