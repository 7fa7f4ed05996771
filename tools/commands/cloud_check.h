// The checks of `drstream doctor` for an object store: the bucket and the connection to it.
#pragma once

#include <optional>
#include <vector>

#include "engine/format/object_rules.h"
#include "io/base/clock.h"
#include "tools/commands/doctor_checks.h"
#include "tools/repository/open_cloud.h"

namespace drs {

// Connection and certificate, clock, latency, create-if-absent, checksums, deletion, rates of PUT and GET, versioning
// and Object Lock, tried with three objects below doctor/ that are removed again if the credentials permit it. `role`:
// the role that the credentials are meant for; none: any permissions are accepted. `probe` is of a bucket of S3 or of
// Google Cloud Storage; the last two are not known for Google's.
std::vector<CheckResult> check_gcs(CloudProbe& probe, const Clock& clock, std::optional<StoreRole> role);
std::vector<CheckResult> check_s3(S3Probe& s3, const Clock& clock, std::optional<StoreRole> role);

}  // namespace drs
