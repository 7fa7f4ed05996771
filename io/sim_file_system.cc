#include "io/sim_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <set>

#include "io/base/relative_path.h"
#include "io/sim_ring.h"

namespace drs {
namespace {

constexpr int kFirstFd = 1'000'000;  // far from real descriptors, so that a system call on one fails
constexpr std::int64_t kFirstNs = 1'704'067'200'000'000'000;
constexpr std::int64_t kOperationNs = 1'000'000;
constexpr std::uint64_t kShortOneIn = 8;

Error failed(int number, const char* what, const std::string& path) {
  return error_from_errno(number, std::string(what) + " 'sim/" + path + "'");
}

// The error for a node of another kind than expected.
Error strange(const char* what, const std::string& path, const char* found) {
  return {ErrorCode::kCorrupt, std::string(what) + " 'sim/" + path + "': it is " + found};
}

}  // namespace

SimFileSystem::SimFileSystem(std::uint64_t seed)
    : random_(seed),
      root_(std::make_shared<Node>()),
      next_fd_(kFirstFd),
      capacity_bytes_(std::numeric_limits<std::uint64_t>::max()),
      now_ns_(kFirstNs) {
  root_->is_directory = true;
}

SimFileSystem::~SimFileSystem() = default;

int SimFileSystem::count_operation() {
  ++operation_count_;
  now_ns_ += kOperationNs;
  if (halting_operation_ != 0 && operation_count_ >= halting_operation_) return EIO;
  return operation_count_ == failing_operation_ ? failing_error_number_ : 0;
}

Result<void> SimFileSystem::begin(const char* what, const std::string& path) {
  if (const int number = count_operation(); number != 0) return failed(number, what, path);
  return {};
}

Result<SimFileSystem::NodePointer> SimFileSystem::find_directory(const char* what, const std::string& path) const {
  DRS_RETURN_IF_ERROR(check_relative_path(path, RootPath::kAllowed));
  NodePointer node = root_;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const auto entry = node->entries.find(std::string(rest.substr(0, slash)));
    if (entry == node->entries.end()) return failed(ENOENT, what, path);
    node = entry->second;
    if (!node->is_directory) return strange(what, path, "a file where a folder was expected");
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return node;
}

Result<SimFileSystem::Parent> SimFileSystem::parent_of(const char* what, const std::string& path) const {
  DRS_RETURN_IF_ERROR(check_relative_path(path, RootPath::kRefused));
  SplitPath split = split_relative_path(path);
  DRS_ASSIGN_OR_RETURN(NodePointer directory, find_directory(what, split.directory));
  return Parent{.directory = std::move(directory), .leaf = std::move(split.leaf)};
}

Result<SimFileSystem::OpenNode*> SimFileSystem::open_node(const char* what, int fd) {
  const auto found = open_nodes_.find(fd);
  if (found == open_nodes_.end()) return failed(EBADF, what, "descriptor " + std::to_string(fd));
  return &found->second;
}

SimFileSystem::NodePointer SimFileSystem::make_node(NodeKind kind) {
  auto node = std::make_shared<Node>();
  node->is_directory = kind == NodeKind::kDirectory;
  node->modified_ns = now_ns_;
  std::erase_if(nodes_, [](const auto& known) { return known.expired(); });
  nodes_.push_back(node);
  return node;
}

void SimFileSystem::change_names(NameChange change) {
  for (const NameChange::Step& step : change.steps) {
    if (step.node == nullptr) {
      step.directory->entries.erase(step.name);
    } else {
      step.directory->entries[step.name] = step.node;
    }
  }
  unsynced_names_.push_back(std::move(change));
}

void SimFileSystem::make_durable(const NameChange& change) {
  for (const NameChange::Step& step : change.steps) {
    if (step.node == nullptr) {
      step.directory->durable_entries.erase(step.name);
    } else {
      step.directory->durable_entries[step.name] = step.node;
    }
  }
}

std::uint64_t SimFileSystem::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& known : nodes_) {
    if (const NodePointer node = known.lock()) used += node->data.allocated_bytes();
  }
  return used;
}

bool SimFileSystem::has_room(const Node& node, std::uint64_t size_bytes) const {
  if (size_bytes <= node.data.allocated_bytes()) return true;
  if (capacity_bytes_ == std::numeric_limits<std::uint64_t>::max()) return true;
  return used_bytes() + (size_bytes - node.data.allocated_bytes()) <= capacity_bytes_;
}

Result<OpenedFile> SimFileSystem::open(const std::string& path, OpenFlags flags) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("open", path));
  DRS_ASSIGN_OR_RETURN(const Parent parent, parent_of("open", path));
  const auto entry = parent.directory->entries.find(parent.leaf);
  NodePointer node = entry == parent.directory->entries.end() ? nullptr : entry->second;
  if (flags.create_exclusive) {
    if (node != nullptr) return failed(EEXIST, "open", path);
    node = make_node(NodeKind::kFile);
    change_names({.steps = {{parent.directory, parent.leaf, node}}});
  }
  if (node == nullptr) return failed(ENOENT, "open", path);
  if (node->is_directory) return strange("open", path, "a directory where a file was expected");
  const bool direct = flags.direct && direct_supported_;
  const int fd = next_fd_++;
  open_nodes_[fd] = {.node = std::move(node), .write = flags.write, .direct = direct};
  return OpenedFile{.fd = fd, .direct = direct};
}

void SimFileSystem::drop_direct(int fd) {
  const std::lock_guard lock(mutex_);
  if (const auto found = open_nodes_.find(fd); found != open_nodes_.end()) found->second.direct = false;
}

Result<void> SimFileSystem::close(int fd) {
  const std::lock_guard lock(mutex_);
  const int number = count_operation();
  DRS_RETURN_IF_ERROR(open_node("close", fd));
  open_nodes_.erase(fd);
  if (number != 0) return failed(number, "close", "descriptor " + std::to_string(fd));
  return {};
}

Result<void> SimFileSystem::truncate(int fd, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("truncate", ""));
  DRS_ASSIGN_OR_RETURN(OpenNode* const opened, open_node("truncate", fd));
  if (!opened->write) return failed(EINVAL, "truncate", "descriptor " + std::to_string(fd));
  if (!has_room(*opened->node, size_bytes)) return failed(ENOSPC, "truncate", "");
  opened->node->data.truncate(size_bytes);
  opened->node->modified_ns = now_ns_;
  return {};
}

Result<void> SimFileSystem::reserve(int fd, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("reserve", ""));
  DRS_ASSIGN_OR_RETURN(OpenNode* const opened, open_node("reserve", fd));
  if (!has_room(*opened->node, size_bytes)) return failed(ENOSPC, "reserve", "");
  opened->node->data.reserve(size_bytes);
  return {};
}

Result<void> SimFileSystem::link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("link", to));
  if (!links_supported_) return Error(ErrorCode::kUsage, "link 'sim/" + to + "': no hard links here", EPERM);
  DRS_ASSIGN_OR_RETURN(const Parent source, parent_of("link", from));
  DRS_ASSIGN_OR_RETURN(const Parent target, parent_of("link", to));
  const auto entry = source.directory->entries.find(source.leaf);
  if (entry == source.directory->entries.end()) return failed(ENOENT, "link", from);
  if (entry->second->is_directory) return failed(EISDIR, "link", from);
  if (target.directory->entries.contains(target.leaf)) return failed(EEXIST, "link", to);
  change_names({.steps = {{target.directory, target.leaf, entry->second}}});
  return {};
}

Result<void> SimFileSystem::rename_no_replace(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("rename", to));
  DRS_ASSIGN_OR_RETURN(const Parent source, parent_of("rename", from));
  DRS_ASSIGN_OR_RETURN(const Parent target, parent_of("rename", to));
  const auto entry = source.directory->entries.find(source.leaf);
  if (entry == source.directory->entries.end()) return failed(ENOENT, "rename", from);
  if (target.directory->entries.contains(target.leaf)) return failed(EEXIST, "rename", to);
  change_names({.steps = {{target.directory, target.leaf, entry->second}, {source.directory, source.leaf, nullptr}}});
  return {};
}

Result<void> SimFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("remove", path));
  DRS_ASSIGN_OR_RETURN(const Parent parent, parent_of("remove", path));
  const auto entry = parent.directory->entries.find(parent.leaf);
  if (entry == parent.directory->entries.end()) return failed(ENOENT, "remove", path);
  if (!entry->second->entries.empty()) return failed(ENOTEMPTY, "remove", path);
  change_names({.steps = {{parent.directory, parent.leaf, nullptr}}});
  return {};
}

Result<void> SimFileSystem::make_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("make directory", path));
  DRS_ASSIGN_OR_RETURN(const Parent parent, parent_of("make directory", path));
  if (parent.directory->entries.contains(parent.leaf)) return failed(EEXIST, "make directory", path);
  change_names({.steps = {{parent.directory, parent.leaf, make_node(NodeKind::kDirectory)}}});
  return {};
}

Result<void> SimFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("sync directory", path));
  DRS_ASSIGN_OR_RETURN(const NodePointer directory, find_directory("sync directory", path));
  std::erase_if(unsynced_names_, [&directory](const NameChange& change) {
    const bool concerned =
        std::ranges::any_of(change.steps, [&](const NameChange::Step& step) { return step.directory == directory; });
    if (concerned) make_durable(change);
    return concerned;
  });
  return {};
}

Result<void> SimFileSystem::list(const std::string& path, const std::function<Result<void>(const FileInfo&)>& visit) {
  std::vector<FileInfo> found;
  {
    const std::lock_guard lock(mutex_);
    DRS_RETURN_IF_ERROR(begin("list", path));
    DRS_ASSIGN_OR_RETURN(const NodePointer directory, find_directory("list", path));
    for (const auto& [name, node] : directory->entries) {
      found.push_back({.name = name,
                       .is_directory = node->is_directory,
                       .size_bytes = node->data.seen().size(),
                       .modified_ns = node->modified_ns});
    }
    std::shuffle(found.begin(), found.end(), random_);
  }
  for (const FileInfo& info : found) DRS_RETURN_IF_ERROR(visit(info));
  return {};
}

Result<FileInfo> SimFileSystem::stat(const std::string& path) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("stat", path));
  DRS_ASSIGN_OR_RETURN(const Parent parent, parent_of("stat", path));
  const auto entry = parent.directory->entries.find(parent.leaf);
  if (entry == parent.directory->entries.end()) return failed(ENOENT, "stat", path);
  const Node& node = *entry->second;
  return FileInfo{.name = parent.leaf,
                  .is_directory = node.is_directory,
                  .size_bytes = node.data.seen().size(),
                  .modified_ns = node.modified_ns};
}

Result<std::uint64_t> SimFileSystem::size_of(int fd) {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("stat", ""));
  DRS_ASSIGN_OR_RETURN(const OpenNode* const opened, open_node("stat", fd));
  return std::uint64_t{opened->node->data.seen().size()};
}

Result<std::uint64_t> SimFileSystem::free_space_bytes() {
  const std::lock_guard lock(mutex_);
  DRS_RETURN_IF_ERROR(begin("free space", ""));
  const std::uint64_t used = used_bytes();
  return capacity_bytes_ > used ? capacity_bytes_ - used : 0;
}

Result<std::unique_ptr<Ring>> SimFileSystem::make_ring(std::size_t depth) {
  return std::unique_ptr<Ring>(std::make_unique<SimRing>(*this, depth));
}

std::int64_t SimFileSystem::perform(const IoOperation& operation) {
  const int number = count_operation();
  const auto found = open_nodes_.find(operation.fd);
  if (found == open_nodes_.end()) return -EBADF;
  OpenNode& opened = found->second;
  if (operation.kind == IoKind::kSyncData) {
    if (number != 0) {
      opened.node->data.sync_failed();
      return -number;
    }
    opened.node->data.sync();
    return 0;
  }
  return number != 0 ? -number : transfer(operation, opened);
}

std::int64_t SimFileSystem::transfer(const IoOperation& operation, OpenNode& opened) {
  const std::size_t unit_bytes = opened.direct ? direct_unit_bytes_ : 1;
  const auto address = reinterpret_cast<std::uintptr_t>(operation.bytes.data());
  if (operation.offset_bytes % unit_bytes != 0 || operation.bytes.size() % unit_bytes != 0 ||
      address % unit_bytes != 0) {
    return -EINVAL;
  }
  std::size_t size_bytes = operation.bytes.size();
  const std::size_t unit_count = size_bytes / unit_bytes;
  if (short_transfers_ && unit_count > 1 && random_below(kShortOneIn) == 0) {
    size_bytes = (1 + random_below(unit_count - 1)) * unit_bytes;
  }
  SimFileData& data = opened.node->data;
  if (operation.kind == IoKind::kRead) {
    const ByteView seen = data.seen();
    if (operation.offset_bytes >= seen.size()) return 0;
    const ByteView part = seen.subspan(operation.offset_bytes);
    size_bytes = std::min(size_bytes, part.size());
    if (size_bytes > 0) std::memcpy(operation.bytes.data(), part.data(), size_bytes);
    return static_cast<std::int64_t>(size_bytes);
  }
  if (!opened.write) return -EBADF;
  if (!has_room(*opened.node, operation.offset_bytes + size_bytes)) return -ENOSPC;
  if (size_bytes > 0) data.write(operation.offset_bytes, operation.bytes.first(size_bytes));
  opened.node->modified_ns = now_ns_;
  return static_cast<std::int64_t>(size_bytes);
}

std::uint64_t SimFileSystem::operations_seen() const {
  const std::lock_guard lock(mutex_);
  return operation_count_;
}

void SimFileSystem::fail_nth(std::uint64_t nth, int error_number) {
  const std::lock_guard lock(mutex_);
  failing_operation_ = nth;
  failing_error_number_ = error_number;
}

void SimFileSystem::halt_at(std::uint64_t nth) {
  const std::lock_guard lock(mutex_);
  halting_operation_ = nth;
}

void SimFileSystem::power_cut() {
  const std::lock_guard lock(mutex_);
  open_nodes_.clear();
  failing_operation_ = 0;
  halting_operation_ = 0;
  for (const NameChange& change : unsynced_names_) {
    if (random_below(2) == 0) make_durable(change);
  }
  unsynced_names_.clear();
  // Only nodes reachable through durable names remain on the disk.
  std::set<const Node*> known = {root_.get()};  // a file may have several names
  std::vector<NodePointer> reached = {root_};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const NodePointer node = reached[i];
    node->entries = node->durable_entries;
    for (const auto& [name, child] : node->entries) {
      if (known.insert(child.get()).second) reached.push_back(child);
    }
    node->data.power_cut(random_);
  }
}

void SimFileSystem::set_capacity_bytes(std::uint64_t capacity_bytes) {
  const std::lock_guard lock(mutex_);
  capacity_bytes_ = capacity_bytes;
}

void SimFileSystem::set_direct_supported(bool supported) {
  const std::lock_guard lock(mutex_);
  direct_supported_ = supported;
}

void SimFileSystem::set_direct_unit_bytes(std::size_t unit_bytes) {
  const std::lock_guard lock(mutex_);
  direct_unit_bytes_ = unit_bytes;
}

void SimFileSystem::set_links_supported(bool supported) {
  const std::lock_guard lock(mutex_);
  links_supported_ = supported;
}

void SimFileSystem::set_short_transfers(bool wanted) {
  const std::lock_guard lock(mutex_);
  short_transfers_ = wanted;
}

void SimFileSystem::advance_clock(std::chrono::nanoseconds by) {
  const std::lock_guard lock(mutex_);
  now_ns_ += by.count();
}

std::int64_t SimFileSystem::now_ns() const {
  const std::lock_guard lock(mutex_);
  return now_ns_;
}

}  // namespace drs
