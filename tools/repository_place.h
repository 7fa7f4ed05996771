// RepositoryPlace: where a repository is, as one names it to --repository and to the options that name another one.
//
//   /var/backups/drs                    a directory; so is file:///var/backups/drs
//   /mnt/offsite?key-file=/etc/offsite  with a key of its own, unless there is a directory of that literal name
//   s3://bucket/prefix                  a bucket of S3 or of a server that speaks as S3 does
//   gs://bucket/prefix                  a bucket of Google Cloud Storage
//   s3://bucket/prefix?endpoint-url=https://minio:9000&region=eu-central-1&profile=offsite
//   @offsite                            the [repository.offsite] of the configuration (tools/configuration.h)
//
// What stands behind the '?', or in the table of that name, are settings for this place alone. They come before the
// options of the same names and before the environment, so that two repositories in one command may have servers,
// credentials and keys of their own. Values behind a '?' are percent-encoded where they hold '%', '&' or '+'.
#pragma once

#include <string>
#include <string_view>

#include "io/result.h"
#include "tools/global_options.h"

namespace drs {

struct RepositoryPlace {
  enum class Kind : std::uint8_t { kLocal, kS3, kGcs };
  Kind kind = Kind::kLocal;
  std::string name;    // a path, or the URL without settings: what messages call it
  CloudOptions cloud;  // the options, and over them the place's own
  CacheOptions cache;  // likewise
  KeyOptions key;      // the place's own alone: key-file, passphrase-file, passphrase-command
};

// Errors: kUsage (empty; a scheme that this build does not serve; a name that the configuration has not; an unknown
// setting, or one that the kind has not).
Result<RepositoryPlace> parse_repository_place(std::string_view text, const GlobalOptions& options);

// Where the value of a place's own setting goes ("key-file", "region"); nullptr where a place of its kind has no such
// setting.
std::string* setting_of(RepositoryPlace& place, std::string_view name);

// What --repository names. Errors: the same; kUsage too for a directory with options that only buckets know
// (tools/object_options.h).
Result<RepositoryPlace> repository_place(const GlobalOptions& options);

}  // namespace drs
