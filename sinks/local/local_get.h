// LocalGet: one positioned read of an object. After a short read it continues until the destination is full or the
// object ends. Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "io/ring.h"
#include "sinks/local/direct_io.h"
#include "sinks/local/open_objects.h"
#include "sinks/object_store.h"

namespace drs {

class LocalGet {
 public:
  explicit LocalGet(GetOperation& operation) : operation_(operation) {}
  LocalGet(const LocalGet&) = delete;
  LocalGet& operator=(const LocalGet&) = delete;

  // Opens the object and reads.
  void start(Ring& ring, OpenObjects& objects, DirectIo direct);
  void end(Result<std::size_t> result) { result_ = std::move(result); }
  [[nodiscard]] bool started() const { return ring_ != nullptr; }
  [[nodiscard]] bool ended() const { return result_.has_value(); }
  // The outcome. Call it once, after the end.
  [[nodiscard]] Result<std::size_t> take_result() { return *std::move(result_); }
  [[nodiscard]] GetOperation& operation() const { return operation_; }

 private:
  void submit();
  void on_read();

  GetOperation& operation_;
  Ring* ring_ = nullptr;
  std::shared_ptr<OpenObject> object_;
  bool direct_ = false;  // whether the current read uses O_DIRECT
  std::size_t delivered_bytes_ = 0;
  std::optional<Result<std::size_t>> result_;
  IoOperation io_;
};

}  // namespace drs
