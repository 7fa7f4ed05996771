// Fetches from the small services that hand out credentials. They are near, and one lost answer should not end a
// backup.
#pragma once

#include "io/base/result.h"
#include "sinks/transport/http_message.h"

namespace drs {

inline constexpr int kCredentialFetchAttemptsMax = 3;

// Repeats the request at once after no answer, a server error (5xx) or 429. Returns the last answer, whatever its
// status. Errors: kUnavailable, kCancelled.
Result<HttpResponse> fetch_with_retries(const HttpFetch& fetch, const HttpRequest& request);

// Whether the same request may get another answer later: true for the statuses named above.
bool is_passing_status(int status);

}  // namespace drs
