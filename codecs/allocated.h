// allocated: throws std::bad_alloc, as `new` does, if a C library returned null because it is out of memory.
// catch_thrown turns the exception into an Error: running out of memory is not a bug.
#pragma once

#include <new>

namespace drs {

template <typename Pointer>
Pointer allocated(Pointer pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

// Throws std::bad_alloc if a library call failed whose arguments are known to be valid, so that only memory can be
// missing. When out of memory, OpenSSL often reports another reason ("unsupported", "initialization error") or none.
inline void had_memory(bool done) {
  if (!done) throw std::bad_alloc();
}

}  // namespace drs
