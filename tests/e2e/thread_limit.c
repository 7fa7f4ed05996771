// LD_PRELOAD: the process gets THREAD_LIMIT threads, then pthread_create says EAGAIN, as it does where the user or the
// container has reached its limit.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  static atomic_int created;
  const char* const limit = getenv("THREAD_LIMIT");
  if (limit != NULL && atomic_fetch_add(&created, 1) >= atoi(limit)) return EAGAIN;
  int (*const original)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) =
      (int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*))dlsym(RTLD_NEXT, "pthread_create");
  return original(thread, attributes, start, argument);
}
