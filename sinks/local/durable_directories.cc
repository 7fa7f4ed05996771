#include "sinks/local/durable_directories.h"

#include <vector>

namespace drs {

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

Result<void> DirectorySyncs::sync(FileSystem& files, const std::string& directory) {
  std::uint64_t lists_before = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (!supported_) return {};
    const State& state = states_[directory];
    if (state.failed) return state.failed->with_context("an earlier sync of this directory failed");
    lists_before = state.lists;
  }
  Result<void> synced = files.sync_directory(directory);
  const std::scoped_lock lock(mutex_);
  State& state = states_[directory];
  if (synced.ok()) {
    // A list that ended during the sync may show a name that the sync did not cover.
    state.synced = state.synced || state.lists == lists_before;
    return synced;
  }
  if (synced.error().code == ErrorCode::kUsage) {
    supported_ = false;
    return {};
  }
  if (!state.failed) state.failed = synced.error();
  return synced;
}

void DirectorySyncs::note_listed(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  State& state = states_[directory];
  ++state.lists;
  state.synced = false;
}

bool DirectorySyncs::listed_names_durable(const std::string& directory) const {
  const std::scoped_lock lock(mutex_);
  const auto found = states_.find(directory);
  return !supported_ || (found != states_.end() && found->second.synced && !found->second.failed);
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

Result<void> DurableDirectories::sync_listed_names(const std::string& directory) {
  DRS_RETURN_IF_ERROR(sync_own_name(directory));
  return syncs_.listed_names_durable(directory) ? Result<void>() : syncs_.sync(files_, directory);
}

// Also for a directory that existed before: its creator may not have synced the parent yet.
Result<void> DurableDirectories::sync_own_name(const std::string& directory) {
  if (directory.empty() || name_durable_.contains(directory)) return {};
  const std::string parent = parent_directory(directory);
  DRS_RETURN_IF_ERROR(sync_own_name(parent));
  // One sync makes the names of all directories in the parent durable.
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
