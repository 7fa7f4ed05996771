// Where keys come from: options, the environment, a prompt. A key is never on the command line, is wiped once used, and
// is gone from the environment before any child starts.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "io/cancel.h"
#include "io/result.h"

namespace drs {

// One way or none; two at once are refused.
struct KeyOptions {
  std::string key_file;
  std::string passphrase_file;
  std::string passphrase_command;  // cut into words without a shell (tools/word_list.h)
  [[nodiscard]] bool any() const {
    return !key_file.empty() || !passphrase_file.empty() || !passphrase_command.empty();
  }
};

// A question on the terminal, answered without echo. Errors: kWrongKey (no answer), kCancelled.
using Prompt = std::function<Result<SecretBytes>(const std::string& question)>;

struct SuppliedSecret {
  Secret secret;  // kClear with no bytes: nothing was supplied
  std::vector<std::string> warnings;
  [[nodiscard]] bool given() const { return secret.kind != SlotKind::kClear; }
};

// True when an option or a variable supplies a key, whether good or not.
bool key_is_supplied(const KeyOptions& options);

// Looks at, in this order: the options (which DRSTREAM_KEY_FILE, DRSTREAM_PASSPHRASE_FILE and
// DRSTREAM_PASSPHRASE_COMMAND set too), BACKUP_ENCRYPTION_KEY_FILE, BACKUP_ENCRYPTION_KEY, DRSTREAM_PASSPHRASE (with a
// warning). Asks nobody. Wipes the variables and removes them from the environment; so, call it once, before other
// threads read the environment. `cancel` ends the wait for a command or a FIFO. Errors: kUsage (two options at once),
// kWrongKey (unreadable; not 64 hex digits; the text never holds the key), kCancelled.
Result<SuppliedSecret> take_supplied_secret(const KeyOptions& options, CancelToken& cancel);

// The key of the other repository of a command: the options, BACKUP_FROM_ENCRYPTION_KEY_FILE,
// BACKUP_FROM_ENCRYPTION_KEY. Wipes nothing: take_supplied_secret, which must follow, does. Errors: as above.
Result<SuppliedSecret> read_source_secret(const KeyOptions& options, CancelToken& cancel);

// The options alone: for `key add`, whose new key must not come from where the old one does. Errors: as above.
Result<SuppliedSecret> read_secret(const KeyOptions& options, CancelToken& cancel);

// What a person typed: 64 hex digits are a key, anything else a passphrase. Errors: kWrongKey (empty).
Result<Secret> secret_of_answer(SecretBytes answer);

// Asks for a new secret twice. Errors: kWrongKey (empty, or the answers differ), the prompt's.
Result<Secret> prompt_new_secret(const Prompt& prompt);

// A key as text: exactly 64 hex digits, one line end (LF, or CR LF) behind them allowed, not all bytes equal. `origin`
// stands in messages. Errors: kWrongKey.
Result<Secret> raw_key_of_text(ByteView text, const std::string& origin);

// kWrongKey: no key was given, and how to give one.
Error missing_key_error();

// Variables that no child may see.
std::span<const std::string> key_variable_names();

}  // namespace drs
