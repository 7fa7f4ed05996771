// `bin/drstream` of the archive: a static program that starts the real one with the dynamic loader and the libraries of
// the archive, independent of those of the machine (packaging/README.md).
//
// The libraries' folder is an argument of the loader. The environment is unchanged, so a child (pg_dump) gets
// the machine's libraries.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace {

constexpr int kExitUsage = 2;

constexpr const char* kLibraries = "/lib/drstream";
constexpr const char* kLoader = "/lib/drstream/loader/drstream";  // named so that `ps` and `pkill` see "drstream"
constexpr const char* kProgram = "/lib/drstream/drstream";

struct Path {
  char text[PATH_MAX];
};

[[noreturn]] void fail(const char* what, const char* path, const char* why) {
  dprintf(STDERR_FILENO, "drstream: error: %s '%s': %s\n", what, path, why);
  _exit(kExitUsage);
}

// Our own file, links resolved: by /proc, or where that is not mounted by the path that the kernel was given.
void find_self(Path& self) {
  const ssize_t length = readlink("/proc/self/exe", self.text, sizeof self.text - 1);
  if (length > 0) {
    self.text[length] = '\0';
    return;
  }
  const auto* const given = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (given == nullptr || realpath(given, self.text) == nullptr) fail("cannot find", "drstream", strerror(errno));
}

// Cuts "/bin/drstream" off.
void cut_to_prefix(Path& path) {
  for (int part = 0; part < 2; ++part)
    if (char* const slash = strrchr(path.text, '/'); slash != nullptr) *slash = '\0';
}

void join(Path& out, const Path& prefix, const char* name) {
  const int length = snprintf(out.text, sizeof out.text, "%s%s", prefix.text, name);
  if (length < 0 || static_cast<size_t>(length) >= sizeof out.text)
    fail("cannot start", prefix.text, "its path is too long");
}

}  // namespace

int main(int argc, char** argv) {
  Path prefix;
  find_self(prefix);
  cut_to_prefix(prefix);
  if (strpbrk(prefix.text, ":;$") != nullptr)
    fail("cannot start from", prefix.text, "the dynamic loader takes no path with ':', ';' or '$'; move it elsewhere");
  Path libraries;
  Path loader;
  Path program;
  join(libraries, prefix, kLibraries);
  join(loader, prefix, kLoader);
  join(program, prefix, kProgram);

  // The machine's cache of libraries describes libraries of another libc.
  const char* const own[] = {
      argc > 0 ? argv[0] : "drstream", "--inhibit-cache", "--library-path", libraries.text, "--argv0",
      argc > 0 ? argv[0] : "drstream", program.text};
  constexpr int kOwn = sizeof own / sizeof own[0];
  const int given = argc > 0 ? argc - 1 : 0;
  auto** const arguments = static_cast<const char**>(calloc(static_cast<size_t>(kOwn + given + 1), sizeof(char*)));
  if (arguments == nullptr) fail("cannot start", program.text, strerror(errno));
  memcpy(arguments, own, sizeof own);
  for (int at = 0; at < given; ++at) arguments[kOwn + at] = argv[at + 1];
  execv(loader.text, const_cast<char**>(arguments));
  fail("cannot start", loader.text,
       errno == ENOENT ? "it is not there; keep bin/ and lib/ of the archive side by side" : strerror(errno));
}
