#include "tools/process_surroundings.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "io/fd.h"
#include "tools/keys.h"
#include "tools/passphrase_command.h"

namespace drs {
namespace {

constexpr std::size_t kSettingsBytesMax = 1 * kMiB;

// A whole small file: configurations, tokens.
Result<SecretBytes> read_small_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return error_from_errno(errno, "open '" + path + "'");
  SecretBytes buffer(kSettingsBytesMax);
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.mutable_view().data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_from_errno(errno, "read '" + path + "'");
    if (got == 0) return SecretBytes::copy_of(buffer.view().first(filled));
    filled += static_cast<std::size_t>(got);
  }
  return Error{ErrorCode::kUsage, "'" + path + "' is larger than 1 MiB: that is no configuration"};
}

}  // namespace

Surroundings process_surroundings(HttpFetch fetch, const Clock& clock) {
  return {.environment = [](const char* name) -> std::optional<std::string_view> {
            const char* const value = std::getenv(name);
            if (value == nullptr) return std::nullopt;
            return value;
          },
          .read_file = read_small_file,
          .fetch = std::move(fetch),
          .run_command =
              [](const std::string& command) {
                CancelToken none;
                return run_passphrase_command(command, key_variable_names(), none);
              },
          .clock = clock};
}

}  // namespace drs
