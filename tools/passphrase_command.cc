#include "tools/passphrase_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "io/pipe.h"
#include "tools/word_list.h"

namespace drs {
namespace {

constexpr std::size_t kOutputBytesMax = 64 * kKiB;

// posix_spawn's two parameter objects, freed together.
struct SpawnSetup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
};

std::vector<char*> environment_without(std::span<const std::string> names) {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (std::find(names.begin(), names.end(), name) == names.end()) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace

Result<SecretBytes> run_passphrase_command(const std::string& command,
                                           std::span<const std::string> environment_remove) {
  auto words = split_words(command);
  if (!words.ok()) return std::move(words).error().with_context("--passphrase-command");
  const auto failed = [&](const std::string& why) {
    return Error{ErrorCode::kWrongKey, fmt::format("the passphrase command '{}' {}", words->front(), why)};
  };
  DRS_ASSIGN_OR_RETURN(Pipe pipe, make_pipe());
  std::vector<char*> arguments;
  for (std::string& word : *words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment = environment_without(environment_remove);

  SpawnSetup setup;
  ::posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&setup.actions, pipe.write_end.get(), 1);
  sigset_t none;
  ::sigemptyset(&none);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);  // which main ignores
  ::posix_spawnattr_setsigmask(&setup.attributes, &none);
  ::posix_spawnattr_setsigdefault(&setup.attributes, &defaults);
  ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int spawned = ::posix_spawnp(&child, arguments.front(), &setup.actions, &setup.attributes, arguments.data(),
                                     environment.data());
  if (spawned != 0) return failed(fmt::format("cannot run: {}", std::strerror(spawned)));
  pipe.write_end = Fd();

  SecretBytes buffer(kOutputBytesMax + 1);
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::read(pipe.read_end.get(), buffer.mutable_view().data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  pipe.read_end = Fd();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (used > kOutputBytesMax) return failed(fmt::format("printed more than {} bytes", kOutputBytesMax));
  if (WIFSIGNALED(status)) return failed(fmt::format("was killed by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) return failed(fmt::format("exited with status {}", WEXITSTATUS(status)));
  return SecretBytes::copy_of(buffer.view().first(used));
}

}  // namespace drs
