#include "tools/open_repository.h"

#include <fmt/format.h>

#include "codecs/crypto_backend.h"
#include "sinks/local_store.h"
#include "tools/open_s3.h"
#include "tools/terminal_prompt.h"

namespace drs {
namespace {

// "s3://bucket" and the like; "./odd://name" stays a path.
bool is_url(std::string_view text) {
  const std::size_t mark = text.find("://");
  return mark != std::string_view::npos && mark > 0 &&
         text.substr(0, mark).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+") == std::string_view::npos;
}

constexpr std::string_view kS3Scheme = "s3://";

}  // namespace

Result<std::string> repository_place(const GlobalOptions& options) {
  const std::string& place = options.repository;
  if (place.empty())
    return Error{ErrorCode::kUsage,
                 "no repository was named; give --repository DIR or s3://bucket/prefix, or set DRSTREAM_REPOSITORY"};
  if (is_url(place) && !place.starts_with(kS3Scheme))
    return Error{ErrorCode::kUsage,
                 fmt::format("the repository '{}' is not supported by this build: directories and s3:// are", place)};
  return place;
}

bool repository_is_local(const GlobalOptions& options) {
  return !options.repository.starts_with(kS3Scheme);
}

Result<std::shared_ptr<FileSystem>> open_repository_files(const GlobalOptions& options) {
  DRS_ASSIGN_OR_RETURN(const std::string path, repository_place(options));
  auto files = open_file_system(path, options.io);
  if (files.ok()) return std::shared_ptr<FileSystem>(*std::move(files));
  if (files.error().code == ErrorCode::kNotFound)
    return Error{ErrorCode::kNoRepository, fmt::format("there is no repository at '{}': no such directory", path)};
  return std::move(files).error();
}

Result<std::unique_ptr<ObjectStore>> open_store(const GlobalOptions& options) {
  if (!repository_is_local(options)) return open_s3(options.repository, options);
  DRS_ASSIGN_OR_RETURN(auto files, open_repository_files(options));
  return open_local_store(std::move(files), LocalStoreOptions{});
}

Result<std::unique_ptr<Repository>> open_repository(CommandContext& context) {
  DRS_ASSIGN_OR_RETURN(const SuppliedSecret supplied, take_supplied_secret(context.options.key));
  for (const std::string& warning : supplied.warnings) context.log.warn("{}", warning);
  const auto open_with = [&](const Secret& secret) -> Result<std::unique_ptr<Repository>> {
    DRS_ASSIGN_OR_RETURN(auto store, open_store(context.options));
    return Repository::open(std::move(store), context.clock, secret, best_crypto_backend());
  };
  auto repository = open_with(supplied.secret);
  const bool key_is_missing = !supplied.given() && !repository.ok() && repository.error().code == ErrorCode::kWrongKey;
  if (key_is_missing) {
    const auto prompt = terminal_prompt(context.cancel);
    if (!prompt) return missing_key_error().with_context(repository.error().message);
    DRS_ASSIGN_OR_RETURN(SecretBytes answer, (*prompt)("Passphrase (or the key, 64 hex digits): "));
    DRS_ASSIGN_OR_RETURN(const Secret secret, secret_of_answer(std::move(answer)));
    repository = open_with(secret);
  }
  if (!repository.ok()) return repository;
  for (const std::string& warning : (*repository)->warnings()) context.log.warn("{}", warning);
  if (!(*repository)->config().encrypted)
    context.log.warn("this repository is NOT encrypted: whoever reads {} reads every backup in it",
                     context.options.repository);
  return repository;
}

HeadDirectory head_directory(const CommandContext& context, const Repository& repository) {
  return HeadDirectory(context.options.state_dir, repository.config().repository);
}

std::size_t warn_of_catalog(CommandContext& context, const Repository& repository, const SnapshotCatalog& catalog) {
  std::size_t count = 0;
  const auto warn = [&](const std::string& text) {
    ++count;
    context.log.warn("{}", text);
  };
  for (const BrokenManifest& broken : catalog.broken)
    warn(fmt::format("{} is damaged: {}", broken.name, broken.error.message));
  for (const MissingPredecessor& missing : catalog.missing)
    warn(fmt::format("stream {}: {} names {} as its predecessor, which is gone without an authentic mark of removal",
                     missing.stream, missing.named_by, missing.name));
  const auto heads = head_directory(context, repository).load_all();
  if (!heads.ok()) {
    warn(heads.error().message);
    return count;
  }
  for (const Head& head : *heads)
    if (const auto trouble = check_head(head, catalog)) warn(*trouble);
  return count;
}

}  // namespace drs
