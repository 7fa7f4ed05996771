#include "sinks/cloud/gcs/gcs_store.h"

#include "sinks/cloud/gcs/gcs_protocol.h"

namespace drs {

Result<std::unique_ptr<ObjectStore>> open_gcs_store(GcsAddress address, std::shared_ptr<GoogleTokenProvider> tokens,
                                                    const Clock& clock, CloudStoreOptions options) {
  return open_cloud_store([address = std::move(address), tokens = std::move(tokens),
                           &clock] { return std::make_unique<GcsProtocol>(address, tokens, clock); },
                          clock, std::move(options));
}

}  // namespace drs
