#include "tools/store_surroundings.h"

#include <algorithm>

namespace drs {

CloudStoreOptions cloud_store_options(const CloudOptions& options, const StoreSurroundings& opened_by) {
  CloudStoreOptions out;
  out.http.ca_file = options.ca_file;
  out.http.upload_limit = options.upload_limit;
  out.http.download_limit = options.download_limit;
  // What does not move is noticed early enough to try twice more within the time that an outage may last.
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.store_timeout);
  const auto third = std::max(timeout / 3, std::chrono::milliseconds(1000));
  out.http.connect_timeout = std::min(third, out.http.connect_timeout);
  out.http.quiet.stall = std::min(third, out.http.quiet.stall);
  out.http.quiet.answer = options.answer_timeout ? std::chrono::ceil<std::chrono::milliseconds>(*options.answer_timeout)
                                                 : std::min(third, out.http.quiet.answer);
  out.requests.retry.budget = std::chrono::ceil<std::chrono::milliseconds>(options.store_timeout);
  out.requests.cancel = opened_by.cancel;
  out.http.cancel = opened_by.cancel;
  out.tell = opened_by.tell;
  out.single_writer = options.single_writer;
  return out;
}

}  // namespace drs
