#include "sinks/durable_directories.h"

#include <vector>

namespace drs {

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

Result<void> DirectorySyncs::sync(FileSystem& files, const std::string& directory) {
  {
    const std::scoped_lock lock(mutex_);
    if (!supported_) return {};
    if (const auto failed = failed_.find(directory); failed != failed_.end()) {
      return failed->second.with_context("an earlier sync of this directory failed");
    }
  }
  Result<void> synced = files.sync_directory(directory);
  if (synced.ok()) return synced;
  const std::scoped_lock lock(mutex_);
  if (synced.error().code == ErrorCode::kUsage) {
    supported_ = false;
    return {};
  }
  failed_.try_emplace(directory, synced.error());
  return synced;
}

bool DirectorySyncs::supported() const {
  const std::scoped_lock lock(mutex_);
  return supported_;
}

Result<void> DurableDirectories::create(const std::string& directory) {
  if (directory.empty() || known_.contains(directory)) return {};
  DRS_RETURN_IF_ERROR(create(parent_directory(directory)));
  const Result<void> made = files_.make_directory(directory);
  if (!made.ok() && made.error().code != ErrorCode::kAlreadyExists) return made;
  known_.insert(directory);
  return {};
}

Result<void> DurableDirectories::sync(const std::string& directory) {
  DRS_RETURN_IF_ERROR(sync_own_name(directory));
  return syncs_.sync(files_, directory);
}

// Also for a directory that was there already: whoever created it may not have synced its parent yet.
Result<void> DurableDirectories::sync_own_name(const std::string& directory) {
  if (directory.empty() || name_durable_.contains(directory)) return {};
  const std::string parent = parent_directory(directory);
  DRS_RETURN_IF_ERROR(sync_own_name(parent));
  // One sync serves all directories that the parent holds by now.
  std::vector<std::string> children = {directory};
  DRS_RETURN_IF_ERROR(files_.list(parent, [&](const FileInfo& info) -> Result<void> {
    if (info.is_directory) children.push_back(parent.empty() ? info.name : parent + "/" + info.name);
    return {};
  }));
  DRS_RETURN_IF_ERROR(syncs_.sync(files_, parent));
  name_durable_.insert(children.begin(), children.end());
  return {};
}

}  // namespace drs
