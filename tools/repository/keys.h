// Where keys come from: options, the environment, a command, a prompt. A key is never on the command line, is wiped
// once used, and is gone from the environment before any child starts.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "io/base/cancel.h"
#include "io/base/result.h"

namespace drs {

// At most one may be set; two are refused.
struct KeyOptions {
  std::string key_file;
  std::string passphrase_file;
  std::string passphrase_command;  // cut into words without a shell (tools/cli/child_command.h)
  [[nodiscard]] bool any() const {
    return !key_file.empty() || !passphrase_file.empty() || !passphrase_command.empty();
  }
};

// A question on the terminal, answered without echo. Errors: kWrongKey (no answer), kCancelled.
using Prompt = std::function<Result<SecretBytes>(const std::string& question)>;

// Asks on the terminal itself (/dev/tty), so that stdin and stdout stay free for streams. Empty if the process has no
// terminal, or its stderr is not on one. `cancel` must outlive the prompt; a cancelled prompt restores the echo.
std::optional<Prompt> terminal_prompt(const CancelToken& cancel);

struct SuppliedSecret {
  Secret secret;  // kClear with no bytes: nothing was supplied
  std::vector<std::string> warnings;
  [[nodiscard]] bool given() const { return secret.kind != SlotKind::kClear; }
};

// True when an option or a variable supplies a key, whether good or not.
bool key_is_supplied(const KeyOptions& options);

// Looks in this order at the options (which DRSTREAM_KEY_FILE, DRSTREAM_PASSPHRASE_FILE and DRSTREAM_PASSPHRASE_COMMAND
// set too), BACKUP_ENCRYPTION_KEY_FILE, BACKUP_ENCRYPTION_KEY, DRSTREAM_PASSPHRASE (with a warning). Does not prompt.
// Wipes the variables and removes them from the environment: call it once, before other threads read the environment.
// `cancel` ends the wait for a command or a FIFO. Errors: kUsage (two options at once; a passphrase file of
// several lines; too little memory for a passphrase), kWrongKey (unreadable; not 64 hex digits; the text never holds
// the key), kCancelled.
Result<SuppliedSecret> take_supplied_secret(const KeyOptions& options, CancelToken& cancel);

// The key of the other repository of a command, from the options, BACKUP_FROM_ENCRYPTION_KEY_FILE,
// BACKUP_FROM_ENCRYPTION_KEY. Does not wipe the variables: call take_supplied_secret afterwards, which does. Errors: as
// above.
Result<SuppliedSecret> read_source_secret(const KeyOptions& options, CancelToken& cancel);

// From the options alone: for `key add`, whose new key must not come from the sources of the old one. Errors: as above.
Result<SuppliedSecret> read_secret(const KeyOptions& options, CancelToken& cancel);

Secret copy_of(const Secret& secret);

// What a person typed: 64 hex digits are a key, anything else a passphrase. Errors: kWrongKey (empty).
Result<Secret> secret_of_answer(SecretBytes answer);

// Asks for a new secret twice. Errors: kWrongKey (empty, or the answers differ), the prompt's.
Result<Secret> prompt_new_secret(const Prompt& prompt);

// A key as text: exactly 64 hex digits, optionally with one line end (LF, or CR LF), not all bytes equal. `origin` is
// named in messages. Errors: kWrongKey.
Result<Secret> raw_key_of_text(ByteView text, const std::string& origin);

// Whether the mode of a secret's file calls for a warning. A file of root may be readable by its group (0440, 0640):
// Kubernetes (`fsGroup`) and administrators give a key to one service that way. A file of any other owner may not.
bool is_open_to_others(uid_t owner, mode_t mode);

// kWrongKey: no key was given, and how to give one.
Error missing_key_error();

// Overwrites a variable's value in place, which /proc/PID/environ shows as well, and unsets the variable.
void wipe_variable(const std::string& name);

// Variables that children must not see.
std::span<const std::string> key_variable_names();

}  // namespace drs
