// LD_PRELOAD: counts the bytes of every memcpy and memmove of at least 4 KiB, and writes two sums to the file that
// MEMCPY_COUNTER_FILE names when the process ends: those of the program, and those inside the compression libraries.
// Copies that a compiler laid inline do not pass here; those of payload are never of a length known when compiling.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kCountedBytesMin = 4096 };
static atomic_ullong moved_bytes;  // by the program and everything that is no codec
static atomic_ullong codec_bytes;  // inside libzstd and liblz4: part of compressing and of decoding

enum { kRangesMax = 8 };
static struct {
  uintptr_t begin, end;
} codec_ranges[kRangesMax];
static int codec_range_count;

static int note_codec(struct dl_phdr_info* object, size_t size, void* unused) {
  (void)size;
  (void)unused;
  if (strstr(object->dlpi_name, "/libzstd.") == NULL && strstr(object->dlpi_name, "/liblz4.") == NULL) return 0;
  for (int i = 0; i < object->dlpi_phnum && codec_range_count < kRangesMax; ++i) {
    const ElfW(Phdr)* const header = &object->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || (header->p_flags & PF_X) == 0) continue;
    codec_ranges[codec_range_count].begin = object->dlpi_addr + header->p_vaddr;
    codec_ranges[codec_range_count].end = object->dlpi_addr + header->p_vaddr + header->p_memsz;
    ++codec_range_count;
  }
  return 0;
}

__attribute__((constructor)) static void find_codecs(void) {
  dl_iterate_phdr(note_codec, NULL);
}

static void count(size_t bytes, const void* caller) {
  if (bytes < kCountedBytesMin) return;
  atomic_ullong* counter = &moved_bytes;
  for (int i = 0; i < codec_range_count; ++i) {
    if ((uintptr_t)caller >= codec_ranges[i].begin && (uintptr_t)caller < codec_ranges[i].end) counter = &codec_bytes;
  }
  atomic_fetch_add_explicit(counter, bytes, memory_order_relaxed);
}

// Not by a call of what is replaced here: looking up the original would copy before it is found.
static void copy_forward(unsigned char* to, const unsigned char* from, size_t bytes) {
#if defined(__x86_64__)
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
#else
  for (volatile unsigned char* out = to; bytes > 0; --bytes) *out++ = *from++;
#endif
}

static void* copy(void* to, const void* from, size_t bytes, const void* caller) {
  count(bytes, caller);
  unsigned char* out = to;
  const unsigned char* in = from;
  if (out <= in || out >= in + bytes) {
    copy_forward(out, in, bytes);
  } else {
    for (volatile unsigned char* last = out + bytes; bytes > 0; --bytes) *--last = in[bytes - 1];
  }
  return to;
}

void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  return copy(to, from, bytes, __builtin_return_address(0));
}

void* memmove(void* to, const void* from, size_t bytes) {
  return copy(to, from, bytes, __builtin_return_address(0));
}

void* __memcpy_chk(void* restrict to, const void* restrict from, size_t bytes, size_t room) {
  if (bytes > room) abort();
  return copy(to, from, bytes, __builtin_return_address(0));
}

void* __memmove_chk(void* to, const void* from, size_t bytes, size_t room) {
  if (bytes > room) abort();
  return copy(to, from, bytes, __builtin_return_address(0));
}

__attribute__((destructor)) static void report(void) {
  const char* const path = getenv("MEMCPY_COUNTER_FILE");
  const int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return;
  dprintf(file, "%llu %llu\n", (unsigned long long)moved_bytes, (unsigned long long)codec_bytes);
  close(file);
}
