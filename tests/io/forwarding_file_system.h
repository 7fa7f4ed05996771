// The base of decorators of file systems: forwards everything to the file system within, so that a decorator overrides
// only what it changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "io/file_system.h"

namespace drs::test {

class ForwardingFileSystem : public FileSystem {
 public:
  explicit ForwardingFileSystem(std::shared_ptr<FileSystem> inner) : inner_(std::move(inner)) {}

  Result<OpenedFile> open(const std::string& path, OpenFlags flags) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->open(path, flags);
  }
  void drop_direct(int fd) override { inner_->drop_direct(fd); }
  Result<void> close(int fd) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->close(fd);
  }
  Result<void> truncate(int fd, std::uint64_t size_bytes) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->truncate(fd, size_bytes);
  }
  Result<void> reserve(int fd, std::uint64_t size_bytes) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->reserve(fd, size_bytes);
  }
  Result<void> link(const std::string& from, const std::string& to) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->link(from, to);
  }
  Result<void> rename_no_replace(const std::string& from, const std::string& to) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->rename_no_replace(from, to);
  }
  Result<void> remove(const std::string& path) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->remove(path);
  }
  Result<void> make_directory(const std::string& path) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->make_directory(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->sync_directory(path);
  }
  Result<void> list(const std::string& path, const std::function<Result<void>(const FileInfo&)>& visit) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->list(path, visit);
  }
  Result<FileInfo> stat(const std::string& path) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->stat(path);
  }
  Result<std::uint64_t> size_of(int fd) override {
    DRS_RETURN_IF_ERROR(before_call());
    return inner_->size_of(fd);
  }
  Result<std::uint64_t> free_space_bytes() override { return inner_->free_space_bytes(); }
  Result<std::unique_ptr<Ring>> make_ring(std::size_t depth) override { return inner_->make_ring(depth); }
  [[nodiscard]] std::string root_name() const override { return inner_->root_name(); }

 protected:
  // Runs before every call above that concerns a file or a name. Its error is the call's result: nothing is forwarded.
  virtual Result<void> before_call() { return {}; }

 private:
  std::shared_ptr<FileSystem> inner_;
};

}  // namespace drs::test
