// What a bucket and the way to it are fit for: the facts that `drstream doctor` shows of an object store.
#pragma once

#include <optional>
#include <vector>

#include "engine/format/object_rules.h"
#include "io/clock.h"
#include "tools/machine_check.h"
#include "tools/open_s3.h"

namespace drs {

// Connection and certificate, clock, latency, create-if-absent, checksums, deletion, rates of PUT and GET, versioning
// and Object Lock, tried with three objects below doctor/ that are removed again where the credentials may. `role`:
// whose credentials these are meant to be; none: whatever they may do is fine.
// `probe` is of a bucket of S3 or of Google Cloud Storage, of which the last two are not known.
std::vector<CheckResult> check_gcs(CloudProbe& probe, const Clock& clock, std::optional<StoreRole> role);
std::vector<CheckResult> check_s3(S3Probe& s3, const Clock& clock, std::optional<StoreRole> role);

}  // namespace drs
