#include "sinks/cloud/s3/s3_store.h"

namespace drs {

Result<std::unique_ptr<ObjectStore>> open_s3_store(S3Address address,
                                                   std::shared_ptr<AwsCredentialsProvider> credentials,
                                                   const Clock& clock, S3ProtocolOptions protocol,
                                                   CloudStoreOptions options) {
  options.single_writer = protocol.single_writer;
  return open_cloud_store(
      [address = std::move(address), credentials = std::move(credentials), &clock, protocol,
       server = std::make_shared<S3ServerTraits>()] {
        return std::make_unique<S3Protocol>(address, credentials, clock, protocol, server);
      },
      clock, std::move(options));
}

}  // namespace drs
