#include "sinks/local/local_get.h"

#include <cerrno>
#include <cstdint>

namespace drs {
namespace {

bool fits_direct(const GetOperation& get) {
  return reinterpret_cast<std::uintptr_t>(get.destination.data()) % kDirectAlignment == 0 &&
         get.destination.size() % kDirectAlignment == 0 && get.offset_bytes % kDirectAlignment == 0;
}

}  // namespace

void LocalGet::start(Ring& ring, OpenObjects& objects, DirectIo direct) {
  ring_ = &ring;
  auto opened = objects.open(operation_.key, fits_direct(operation_) ? direct : DirectIo::kOff);
  if (!opened.ok()) return end(std::move(opened).error());
  object_ = *std::move(opened);
  if (operation_.destination.empty()) return end(std::size_t{0});
  submit();
}

void LocalGet::submit() {
  io_ = {.kind = IoKind::kRead,
         .fd = object_->fd(),
         .offset_bytes = operation_.offset_bytes + delivered_bytes_,
         .bytes = operation_.destination.subspan(delivered_bytes_),
         .done = [](IoOperation& io) { static_cast<LocalGet*>(io.owner)->on_read(); },
         .owner = this};
  direct_ = object_->direct();
  ring_->submit(io_);
}

void LocalGet::on_read() {
  if (io_.result == -EINVAL && direct_) {
    object_->drop_direct();
    return submit();
  }
  if (io_.result < 0) return end(error_from_errno(static_cast<int>(-io_.result), "read " + operation_.key));
  const auto moved_bytes = static_cast<std::size_t>(io_.result);
  delivered_bytes_ += moved_bytes;
  if (moved_bytes == 0 || delivered_bytes_ == operation_.destination.size()) return end(delivered_bytes_);
  if (direct_ && moved_bytes % kDirectAlignment != 0) {
    // Usually the object ends here. If not, O_DIRECT cannot read the rest from this offset.
    const Result<std::uint64_t> size_bytes = object_->size_bytes();
    if (!size_bytes.ok()) return end(size_bytes.error());
    if (operation_.offset_bytes + delivered_bytes_ >= *size_bytes) return end(delivered_bytes_);
    object_->drop_direct();
  }
  submit();
}

}  // namespace drs
