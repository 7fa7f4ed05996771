#include "tools/repository/process_environment.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "io/command_output.h"
#include "io/fd.h"
#include "io/guardian.h"
#include "io/read_to_end.h"
#include "sinks/kafka/kafka_settings.h"
#include "tools/cli/child_command.h"
#include "tools/output/printable.h"
#include "tools/output/terminal.h"
#include "tools/repository/keys.h"

namespace drs {
namespace {

constexpr std::size_t kSettingsBytesMax = 1 * kMiB;
constexpr std::size_t kCommandOutputBytesMax = 64 * kKiB;

// Runs one credential_process at a time. Its stderr is for the operator and goes to ours.
class CredentialProcess {
 public:
  Result<SecretBytes> run(const std::string& command, CancelToken& cancel) {
    DRS_ASSIGN_OR_RETURN(std::vector<std::string> words, split_words(command));
    ChildOptions options = child_options(std::move(words));
    options.timeout = kCredentialProcessTimeout;
    const std::lock_guard lock(mutex_);
    // Kept from the first run on, which opens the store: the guardian must not keep memory that is mapped later.
    if (!guardian_) {
      DRS_ASSIGN_OR_RETURN(guardian_, Guardian::start());
    }
    options.guardian = guardian_.get();
    auto output = command_output(options, kCommandOutputBytesMax, cancel);
    if (!output.ok() && output.error().code == ErrorCode::kIo) guardian_.reset();  // it may be gone
    return output;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Guardian> guardian_;  // guarded by mutex_
};

}  // namespace

Result<SecretBytes> read_small_file(const std::string& path, CancelToken& cancel) {
  DRS_ASSIGN_OR_RETURN(const Fd file, open_to_read(path));
  auto bytes = read_to_end(file, kSettingsBytesMax + 1, cancel);
  if (!bytes.ok()) return std::move(bytes).error().with_context("'" + path + "'");
  if (bytes->size() <= kSettingsBytesMax) return bytes;
  return Error(ErrorCode::kUsage, "'" + path + "' is larger than 1 MiB: that is not a configuration");
}

Environment process_environment(HttpFetch fetch, const Clock& clock, CancelToken* cancel) {
  return {.environment = [](const char* name) -> std::optional<std::string_view> {
            const char* const value = std::getenv(name);
            if (value == nullptr) return std::nullopt;
            return value;
          },
          .read_file =
              [cancel](const std::string& path) {
                CancelToken none;
                return read_small_file(path, cancel != nullptr ? *cancel : none);
              },
          .fetch = std::move(fetch),
          .run_command =
              [cancel, process = std::make_shared<CredentialProcess>()](const std::string& command) {
                CancelToken none;
                return process->run(command, cancel != nullptr ? *cancel : none);
              },
          .clock = clock};
}

std::vector<std::string> secret_variable_names() {
  std::vector<std::string> names(key_variable_names().begin(), key_variable_names().end());
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    if (const std::string_view text(*entry); text.starts_with(kKafkaVariablePrefix))
      names.emplace_back(text.substr(0, text.find('=')));
  return names;
}

ChildOptions child_options(std::vector<std::string> argv) {
  ChildOptions options;
  options.argv = std::move(argv);
  options.environment_remove = secret_variable_names();
  const TerminalStyle style = terminal_style(options.stderr_to);
  // Each line replaces the status line, which is redrawn below it.
  if (style.knows_escapes)
    options.stderr_filter = [](std::string_view text) { return std::string(kEraseLine) + printable_speech(text); };
  else if (style.is_terminal)
    options.stderr_filter = printable_speech;
  return options;
}

}  // namespace drs
