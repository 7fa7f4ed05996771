// Fetching from the small services that hand out credentials: they are near, and one lost answer should not end a
// backup.
#pragma once

#include "io/result.h"
#include "sinks/http_message.h"

namespace drs {

inline constexpr int kCredentialFetchAttemptsMax = 3;

// Asks again, at once, while there is no answer or one that blames the server (5xx) or the pace (429). The last answer,
// whatever its status. Errors: kUnavailable, kCancelled.
Result<HttpResponse> fetch_with_retries(const HttpFetch& fetch, const HttpRequest& request);

// Whether the same request may be answered otherwise later: the statuses named above.
bool is_passing_status(int status);

}  // namespace drs
