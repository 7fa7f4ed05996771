#include "tools/passphrase_command.h"

#include "io/command_output.h"
#include "io/error_class.h"
#include "tools/word_list.h"

namespace drs {
namespace {

constexpr std::size_t kOutputBytesMax = 64 * kKiB;

}  // namespace

Result<SecretBytes> run_passphrase_command(const std::string& command, std::span<const std::string> environment_remove,
                                           CancelToken& cancel) {
  auto words = split_words(command);
  if (!words.ok()) return std::move(words).error().with_context("--passphrase-command");
  ChildOptions options;
  options.argv = *std::move(words);
  options.environment_remove.assign(environment_remove.begin(), environment_remove.end());
  options.asks_on_terminal = true;
  auto output = command_output(options, kOutputBytesMax, cancel);
  if (output.ok() || output.error().code == ErrorCode::kCancelled) return output;
  return as_code_unless_shortage(ErrorCode::kWrongKey,
                                 std::move(output).error().with_context("the passphrase command"));
}

}  // namespace drs
