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

}  // namespace drs
