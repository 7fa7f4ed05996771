#include "tools/repository/global_options.h"

#include "tools/cli/option_builder.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/heads.h"
#include "tools/repository/resource_defaults.h"

namespace drs {
namespace {

constexpr std::uint64_t kThreadsMax = 1024;
constexpr std::uint64_t kLockDaysMax = 36'500;  // S3's own limit: 100 years
constexpr std::uint64_t kRateMin = 16 * kKiB;   // below it transfers would seem stalled

Result<std::shared_ptr<RateLimit>> parse_rate(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  DRS_ASSIGN_OR_RETURN(const std::uint64_t bytes_per_second, parse_size(text));
  if (bytes_per_second < kRateMin)
    return Error(ErrorCode::kUsage, "'" + std::string(text) + "' is too slow; accepted are at least 16KiB per second");
  return std::make_shared<RateLimit>(bytes_per_second);
}

void declare_key_options(CLI::App& app, KeyOptions& key) {
  constexpr const char* kGroup = "Key options";
  add_text(app, "--key-file", key.key_file, "FILE", "Read the key, 64 hex digits, from FILE")->group(kGroup);
  add_text(app, "--passphrase-file", key.passphrase_file, "FILE", "Read the passphrase from FILE")->group(kGroup);
  add_text(app, "--passphrase-command", key.passphrase_command, "CMD",
           "Run CMD, split into words without a shell, and take what it prints as the passphrase")
      ->group(kGroup);
}

void declare_cloud_options(CLI::App& app, CloudOptions& cloud) {
  constexpr const char* kGroup = "Object store options";
  add_text(app, "--endpoint-url", cloud.endpoint_url, "URL",
           "The server of a repository in a bucket (default for s3://: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the "
           "profile's, "
           "AWS; for gs://: STORAGE_EMULATOR_HOST, Google)")
      ->group(kGroup);
  add_text(app, "--region", cloud.region, "REGION",
           "The bucket's region (default: AWS_REGION, the profile's, us-east-1)")
      ->group(kGroup);
  add_choice<std::string>(app, "--address-style", cloud.address_style,
                          {{"auto", "auto"}, {"path", "path"}, {"virtual", "virtual"}},
                          "Whether the S3 bucket is in the path or the host name of a URL (default auto: the host for "
                          "AWS; the path for other servers, and over TLS for buckets with dots in their names)")
      ->group(kGroup);
  add_text(app, "--ca-file", cloud.ca_file, "FILE",
           "Certificates (PEM) to trust instead of the system's (default for s3://: AWS_CA_BUNDLE, the profile's "
           "ca_bundle)")
      ->group(kGroup);
  add_parsed(app, "--store-timeout", cloud.store_timeout, parse_duration, "DURATION",
             "How long an outage of the store may last (default 15m)")
      ->group(kGroup);
  add_parsed(app, "--answer-timeout", cloud.answer_timeout, parse_duration, "DURATION",
             "How long the store may take to answer a request that was sent completely; raise it for a proxy that "
             "buffers (default 5m, at most a third of --store-timeout)")
      ->group(kGroup);
  add_flag(app, "--single-writer", cloud.single_writer,
           "For a server without conditional writes: you make sure that nothing else writes to the repository at the "
           "same time")
      ->group(kGroup);
  add_parsed(app, "--limit-upload", cloud.upload_limit, parse_rate, "SIZE",
             "Send at most this many bytes per second, over all transfers together")
      ->group(kGroup);
  add_parsed(app, "--limit-download", cloud.download_limit, parse_rate, "SIZE",
             "Receive at most this many bytes per second, over all transfers together")
      ->group(kGroup);
  add_parsed(app, "--lock-days", cloud.lock_days, number_between(1, kLockDaysMax), "N",
             "Object Lock: for N days nobody can delete the objects that are stored or that a snapshot reuses")
      ->group(kGroup);
  add_choice<LockMode>(
      app, "--lock-mode", cloud.lock_mode,
      {{"governance", LockMode::kGovernance}, {"compliance", LockMode::kCompliance}},
      "Whether a special permission can lift the lock (governance, default), or nothing can (compliance)")
      ->group(kGroup);
  add_text(app, "--storage-class", cloud.storage_class, "CLASS",
           "The class of packs, such as STANDARD_IA or GLACIER_IR; other objects stay in the bucket's default class")
      ->group(kGroup);
  add_texts(app, "--object-tag", cloud.object_tags, "KEY=VALUE",
            "Tag every stored object, for billing and lifecycle rules; may be given several times")
      ->group(kGroup);
  add_choice<ServerEncryption>(
      app, "--sse", cloud.server_encryption,
      {{"AES256", ServerEncryption::kAes256}, {"aws:kms", ServerEncryption::kAwsKms}},
      "Server-side encryption of the objects, which are sealed already (default: that of the bucket)")
      ->group(kGroup);
  add_text(app, "--sse-kms-key-id", cloud.kms_key_id, "ID", "The key of --sse aws:kms")->group(kGroup);
}

void declare_cache_options(CLI::App& app, CacheOptions& cache) {
  constexpr const char* kGroup = "Object store options";
  add_text(app, "--cache-dir", cache.folder, "DIR",
           "Where index and manifests of a repository in a bucket are cached, as stored (default "
           "$XDG_CACHE_HOME/drstream or ~/.cache/drstream)")
      ->group(kGroup);
  add_parsed(app, "--cache-size", cache.size_bytes, parse_size, "SIZE", "The size limit of the cache (default 1GiB)")
      ->group(kGroup);
  add_flag(app, "--no-cache", cache.off, "Read everything from the store, without the cache")->group(kGroup);
}

}  // namespace

void declare_place_options(CLI::App& app, KeyOptions& key, CloudOptions& cloud, CacheOptions& cache) {
  declare_key_options(app, key);
  declare_cloud_options(app, cloud);
  declare_cache_options(app, cache);
  for (CLI::Option* const option : app.get_options())
    if (option != app.get_help_ptr() && option != app.get_version_ptr()) as_setting(option);
}

std::size_t GlobalOptions::thread_count() const {
  if (threads != 0) return static_cast<std::size_t>(threads);
  return usable_cores(limits);
}

Result<std::size_t> GlobalOptions::memory_bytes() const {
  if (memory) return static_cast<std::size_t>(*memory);
  DRS_ASSIGN_OR_RETURN(const std::uint64_t bytes, default_memory_bytes(limits));
  return static_cast<std::size_t>(bytes);
}

void declare_global_options(CLI::App& app, GlobalOptions& options) {
  constexpr const char* kGroup = "Global options";
  const auto in_group = [&](CLI::Option* option) { option->group(kGroup); };
  in_group(add_text(app, "-r,--repo,--repository", options.repository, "PLACE",
                    "The repository: a local directory, s3://bucket/prefix, gs://bucket/prefix, or @NAME of a "
                    "[repository.NAME] in the configuration"));
  in_group(add_text(app, "--config", options.config_file, "FILE",
                    "The configuration file, instead of $XDG_CONFIG_HOME/drstream/config.toml (or ~/.config/...) and "
                    "/etc/drstream/config.toml"));
  in_group(add_parsed(app, "--memory", options.memory, parse_size, "SIZE",
                      "Ceiling for buffers, codecs and indexes (at least 96MiB; default 256MiB, or "
                      "what a container's memory limit leaves)"));
  in_group(add_parsed(app, "--threads", options.threads, number_between(1, kThreadsMax), "N",
                      "Worker threads (default: one for each core, within a container's CPU quota)"));
  in_group(add_choice<IoChoice>(app, "--io", options.io,
                                {{"auto", IoChoice::kAuto}, {"uring", IoChoice::kUring}, {"posix", IoChoice::kPosix}},
                                "How files are read and written (default auto: io_uring where it works)"));
  in_group(
      add_text(app, "--state-dir", options.state_dir, "DIR",
               "Where the heads of streams are recorded (default $XDG_STATE_HOME/drstream or ~/.local/state/drstream; "
               "/var/lib/drstream for root; without HOME /var/tmp/drstream-UID, if this user owns it)"));
  in_group(add_flag(app, "--json", options.json, "Answer with one JSON document"));
  in_group(add_choice<ProgressMode>(
      app, "--progress", options.progress,
      {{"auto", ProgressMode::kAuto}, {"always", ProgressMode::kAlways}, {"never", ProgressMode::kNever}},
      "Progress on stderr (default auto: on a terminal)"));
  const auto number = number_between(0, 1'000'000);
  in_group(add_parsed(app, "--progress-fd", options.progress_fd, number, "FD",
                      "Write progress as JSON lines to this open descriptor"));
  in_group(add_flag(app, "-q,--quiet", options.log.quiet, "Only warnings and errors"));
  in_group(app.add_flag("-v,--verbose", options.log.verbosity, "Print more messages; twice: many more"));
  in_group(add_choice<LogFormat>(app, "--log-format", options.log.format,
                                 {{"text", LogFormat::kText}, {"json", LogFormat::kJson}},
                                 "Format of the messages on stderr (default text)"));
  declare_place_options(app, options.key, options.cloud, options.cache);
}

}  // namespace drs
