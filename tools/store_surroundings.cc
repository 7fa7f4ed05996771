#include "tools/store_surroundings.h"

#include <algorithm>

namespace drs {

CloudStoreOptions cloud_store_options(const CloudOptions& options, const StoreSurroundings& opened_by) {
  CloudStoreOptions out;
  out.http.ca_file = options.ca_file;
  out.http.upload_limit = options.upload_limit;
  out.http.download_limit = options.download_limit;
  // A stall is noticed early enough to try again within the time that an outage may last.
  const auto timeout = std::chrono::ceil<std::chrono::seconds>(options.store_timeout);
  out.http.connect_timeout = std::clamp(timeout, std::chrono::seconds(1), out.http.connect_timeout);
  out.http.stall_timeout = std::clamp(timeout, std::chrono::seconds(1), out.http.stall_timeout);
  out.requests.retry.budget = std::chrono::ceil<std::chrono::milliseconds>(options.store_timeout);
  out.requests.cancel = opened_by.cancel;
  out.tell = opened_by.tell;
  out.single_writer = options.single_writer;
  return out;
}

}  // namespace drs
