// allocated: what a C library hands out, or std::bad_alloc where it hands out nothing for want of memory, as `new`
// does. catch_thrown makes an Error of it: a machine that is short of memory is no bug.
#pragma once

#include <new>

namespace drs {

template <typename Pointer>
Pointer allocated(Pointer pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

// After a call of such a library whose arguments are right, so that nothing but memory can be missing. OpenSSL often
// gives another reason for want of memory ("unsupported", "initialization error"), or none.
inline void had_memory(bool done) {
  if (!done) throw std::bad_alloc();
}

}  // namespace drs
