#include "sinks/local/open_objects.h"

#include <algorithm>

#include "io/base/error_class.h"

namespace drs {
namespace {

// For each instance of the store, and each thread has one. A process can usually open 1,024 files.
constexpr std::size_t kOpenObjectsMax = 16;

}  // namespace

OpenObject::~OpenObject() {
  // The file was only read: a failed close loses nothing.
  static_cast<void>(files_.close(file_.fd));
}

void OpenObject::drop_direct() {
  if (!file_.direct) return;
  files_.drop_direct(file_.fd);
  file_.direct = false;
}

Result<std::shared_ptr<OpenObject>> OpenObjects::open(const std::string& path, DirectIo direct) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.direct == direct && entry.path == path; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return found->object;
  }
  const OpenFlags flags{.direct = direct == DirectIo::kWhereAligned};
  auto file = files_.open(path, flags);
  if (!file.ok() && is_shortage(file.error()) && !entries_.empty()) {
    entries_.clear();
    file = files_.open(path, flags);
  }
  if (!file.ok()) {
    const auto info = files_.stat(path);
    if (info.ok() && info->is_directory)
      return Error(ErrorCode::kNotFound, files_.root_name() + "/" + path + " is a directory");
    return std::move(file).error();
  }
  entries_.push_front({path, direct, std::make_shared<OpenObject>(files_, *file)});
  if (entries_.size() > kOpenObjectsMax) entries_.pop_back();
  return entries_.front().object;
}

void OpenObjects::forget(const std::string& path) {
  entries_.remove_if([&](const Entry& entry) { return entry.path == path; });
}

}  // namespace drs
