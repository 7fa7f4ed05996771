// Options of every command. They stand before or behind the command's name.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/cgroup_limits.h"
#include "io/ring.h"
#include "sinks/transport/rate_limit.h"
#include "tools/output/log.h"
#include "tools/output/progress.h"
#include "tools/repository/keys.h"

namespace drs {

enum class LockMode : std::uint8_t { kGovernance, kCompliance };
enum class ServerEncryption : std::uint8_t { kBucketDefault, kAes256, kAwsKms };

// Options of repositories in a bucket.
struct CloudOptions {
  std::string endpoint_url;   // empty: from the kind's own variables, else AWS or Google itself
  std::string region;         // empty: found in AWS's own order
  std::string address_style;  // "path", "virtual"; empty or "auto": S3AddressOptions' own rule
  std::string ca_file;
  std::string profile;           // of AWS's files; empty: AWS_PROFILE and AWS's own order. Only a place sets it.
  std::string credentials_file;  // of Google; empty: Google's own order. Only a place sets it.
  std::chrono::nanoseconds store_timeout = std::chrono::minutes(15);
  std::optional<std::chrono::nanoseconds> answer_timeout;  // none: 5 minutes, at most a third of store_timeout
  bool single_writer = false;
  // Shared by all stores of the process.
  std::shared_ptr<RateLimit> upload_limit;
  std::shared_ptr<RateLimit> download_limit;
  std::optional<std::uint64_t> lock_days;
  LockMode lock_mode = LockMode::kGovernance;
  std::string storage_class;
  std::vector<std::string> object_tags;  // "key=value"
  ServerEncryption server_encryption = ServerEncryption::kBucketDefault;
  std::string kms_key_id;
};

// Options of the local cache of such repositories.
struct CacheOptions {
  std::string folder;  // empty: the default (tools/repository/open_repository.h)
  std::uint64_t size_bytes = std::uint64_t{1} << 30;
  bool off = false;
};

// A repository that the configuration names, for `-r @NAME`: a place with settings of its own.
struct NamedRepository {
  std::string place;   // as --repository takes it
  std::string origin;  // where it is named: "/etc/drstream/config.toml:12"
  CloudOptions cloud;  // the options, overridden by its own
  CacheOptions cache;  // likewise
  KeyOptions key;      // only its own
};

struct GlobalOptions {
  std::string repository;
  std::string config_file;  // empty: the default places (tools/config/configuration.h)
  std::optional<std::uint64_t> memory;
  std::uint64_t threads = 0;  // 0: one for each core that can be used
  IoChoice io = IoChoice::kAuto;
  bool json = false;
  ProgressMode progress = ProgressMode::kAuto;
  std::optional<std::uint64_t> progress_fd;
  LogOptions log;
  KeyOptions key;
  std::string state_dir;
  CloudOptions cloud;
  CacheOptions cache;
  std::map<std::string, NamedRepository, std::less<>> repositories;  // by name, without the @; set by configure()
  std::set<std::string, std::less<>> typed;  // keys of what stands on the command line itself; set by configure()

  CgroupLimits limits;  // of this process; set before a command runs

  [[nodiscard]] std::size_t thread_count() const;  // never 0
  // --memory, or its default within the limits. Errors: kUsage (the limits leave too little for a default).
  [[nodiscard]] Result<std::size_t> memory_bytes() const;
};

// All of them, each a setting. `options` must outlive `app`.
void declare_global_options(CLI::App& app, GlobalOptions& options);
// Declares those that a single repository may have for itself, likewise as settings.
void declare_place_options(CLI::App& app, KeyOptions& key, CloudOptions& cloud, CacheOptions& cache);

}  // namespace drs
