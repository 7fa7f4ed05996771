// ThreadSanitizer runs vfork as fork: what a child that cannot start writes into our memory does not arrive.
#pragma once

#include <gtest/gtest.h>

#if defined(__SANITIZE_THREAD__)
#define DRS_VFORK_IS_FORK 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DRS_VFORK_IS_FORK 1
#endif
#endif

#if defined(DRS_VFORK_IS_FORK)
#define DRS_NEEDS_REAL_VFORK() GTEST_SKIP() << "ThreadSanitizer runs vfork as fork"
#else
#define DRS_NEEDS_REAL_VFORK() static_cast<void>(0)
#endif
