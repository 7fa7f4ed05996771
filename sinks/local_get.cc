#include "sinks/local_get.h"

#include <cstdint>

namespace drs {
namespace {

bool fits_direct(const GetOperation& get) {
  return reinterpret_cast<std::uintptr_t>(get.destination.data()) % kDirectAlignment == 0 &&
         get.destination.size() % kDirectAlignment == 0 && get.offset_bytes % kDirectAlignment == 0;
}

}  // namespace

void LocalGet::start(Ring& ring, OpenObjects& objects, bool direct) {
  ring_ = &ring;
  auto opened = objects.open(operation_.key, direct && fits_direct(operation_));
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
  ring_->submit(io_);
}

void LocalGet::on_read() {
  if (io_.result < 0) return end(error_from_errno(static_cast<int>(-io_.result), "read " + operation_.key));
  const auto moved_bytes = static_cast<std::size_t>(io_.result);
  delivered_bytes_ += moved_bytes;
  // A direct read stops inside an aligned unit only where the file ends, and could not go on from there.
  const bool at_end = moved_bytes == 0 || (object_->direct() && moved_bytes % kDirectAlignment != 0);
  if (at_end || delivered_bytes_ == operation_.destination.size()) return end(delivered_bytes_);
  submit();
}

}  // namespace drs
