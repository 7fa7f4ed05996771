#include "sinks/transport/retried_fetch.h"

namespace drs {

bool is_passing_status(int status) {
  return status >= 500 || status == 429;
}

Result<HttpResponse> fetch_with_retries(const HttpFetch& fetch, const HttpRequest& request) {
  for (int attempt = 1;; ++attempt) {
    Result<HttpResponse> response = fetch(request);
    const bool settled =
        response.ok() ? !is_passing_status(response->status) : response.error().code == ErrorCode::kCancelled;
    if (settled || attempt == kCredentialFetchAttemptsMax) return response;
  }
}

}  // namespace drs
