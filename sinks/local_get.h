// LocalGet: one positioned read of an object, going on after short reads until it is full or the object ends.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "io/ring.h"
#include "sinks/object_store.h"
#include "sinks/open_objects.h"

namespace drs {

class LocalGet {
 public:
  explicit LocalGet(GetOperation& operation) : operation_(operation) {}
  LocalGet(const LocalGet&) = delete;
  LocalGet& operator=(const LocalGet&) = delete;

  // Opens the object and reads; with `direct`, past the page cache where destination and offset are aligned.
  void start(Ring& ring, OpenObjects& objects, bool direct);
  void end(Result<std::size_t> result) { result_ = std::move(result); }
  [[nodiscard]] bool started() const { return ring_ != nullptr; }
  [[nodiscard]] bool ended() const { return result_.has_value(); }
  // What it came to. Once, when ended.
  [[nodiscard]] Result<std::size_t> take_result() { return *std::move(result_); }
  [[nodiscard]] GetOperation& operation() const { return operation_; }

 private:
  void submit();
  void on_read();

  GetOperation& operation_;
  Ring* ring_ = nullptr;
  std::shared_ptr<OpenObject> object_;
  bool direct_ = false;  // the read, as the kernel was given it
  std::size_t delivered_bytes_ = 0;
  std::optional<Result<std::size_t>> result_;
  IoOperation io_;
};

}  // namespace drs
