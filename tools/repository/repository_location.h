// RepositoryLocation: where a repository is, as given to --repository and to the options that name another repository.
//
//   /var/backups/drs                    a directory; so is file:///var/backups/drs
//   /mnt/offsite?key-file=/etc/offsite  with a key of its own, unless there is a directory of that literal name
//   s3://bucket/prefix                  a bucket of S3 or of a compatible server
//   gs://bucket/prefix                  a bucket of Google Cloud Storage
//   s3://bucket/prefix?endpoint-url=https://minio:9000&region=eu-central-1&profile=offsite
//   @offsite                            the [repository.offsite] of the configuration (tools/config/configuration.h)
//
// The settings behind the '?', or in the table of that name, hold for this place alone. They take precedence over the
// options of the same names and the environment, so that two repositories in one command can have servers, credentials
// and keys of their own. Values behind a '?' are percent-encoded where they hold '%', '&' or '+'.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "io/base/result.h"
#include "tools/repository/global_options.h"

namespace drs {

struct RepositoryLocation {
  enum class Kind : std::uint8_t { kLocal, kS3, kGcs };
  Kind kind = Kind::kLocal;
  std::string name;    // a path, or the URL without settings: what messages call it
  std::string given;   // as it was given, with @NAME and settings: what commands that messages suggest call it
  CloudOptions cloud;  // the options, overridden by the place's own
  CacheOptions cache;  // likewise
  KeyOptions key;      // only the place's own: key-file, passphrase-file, passphrase-command
};

// Errors: kUsage (empty; a scheme that this build does not support, or `word:` that is no directory; a name that is not
// in the configuration; an unknown setting, or one that this kind of place does not have).
Result<RepositoryLocation> parse_repository_location(std::string_view text, const GlobalOptions& options);

// The variable of a place's own setting ("key-file", "region"); nullptr if places of its kind have no such setting.
std::string* setting_of(RepositoryLocation& place, std::string_view name);

// The place of --repository. Errors: the same, and kUsage for a directory with options that only buckets have
// (tools/repository/cloud_options.h), or with a limit of transfers on the command line, unless one of `others`, the
// further places of the command, is a bucket.
Result<RepositoryLocation> repository_location(const GlobalOptions& options, std::span<const std::string> others = {});

}  // namespace drs
