#include "tools/repository/keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "io/base/error_class.h"
#include "io/command_output.h"
#include "io/fd.h"
#include "io/read_to_end.h"
#include "tools/cli/child_command.h"
#include "tools/output/console.h"
#include "tools/output/printable.h"
#include "tools/output/terminal.h"
#include "tools/repository/process_environment.h"
#include "tools/repository/resource_defaults.h"

namespace drs {
namespace {

constexpr std::size_t kKeyDigits = 64;
constexpr std::size_t kSecretFileBytesMax = 64 * kKiB;
constexpr std::size_t kPassphraseOutputBytesMax = 64 * kKiB;
constexpr std::size_t kPassphraseCharsAdvised = 12;
constexpr std::size_t kAnswerBytesMax = 4096;
constexpr int kCancelPollMilliseconds = 100;

constexpr const char* kKeyFileVariable = "BACKUP_ENCRYPTION_KEY_FILE";
constexpr const char* kKeyVariable = "BACKUP_ENCRYPTION_KEY";
constexpr const char* kPassphraseVariable = "DRSTREAM_PASSPHRASE";
constexpr const char* kFromKeyFileVariable = "BACKUP_FROM_ENCRYPTION_KEY_FILE";
constexpr const char* kFromKeyVariable = "BACKUP_FROM_ENCRYPTION_KEY";

Error key_error(const std::string& text) {
  return {ErrorCode::kWrongKey, text};
}

const char* variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

void wipe_variables() {
  for (const std::string& name : key_variable_names()) wipe_variable(name);
}

SecretBytes without_line_feed(SecretBytes bytes) {
  ByteView view = bytes.view();
  if (!view.empty() && view.back() == '\n') view = view.first(view.size() - 1);
  if (view.size() + 1 == bytes.size() && !view.empty() && view.back() == '\r') view = view.first(view.size() - 1);
  return SecretBytes::copy_of(view);
}

struct SecretFile {
  SecretBytes bytes;
  std::string warning;  // not empty: others may read it
};

// A file, a FIFO or /dev/fd/N.
Result<SecretFile> read_secret_file(const std::string& path, std::string_view what, CancelToken& cancel) {
  const auto failed = [&](int number) {
    const char* const advice = has_key_digits(path) ? "; put a key itself into BACKUP_ENCRYPTION_KEY" : "";
    return as_code_unless_shortage(
        ErrorCode::kWrongKey,
        {ErrorCode::kIo, fmt::format("cannot read the {} '{}': {}{}", what, path, std::strerror(number), advice),
         number});
  };
  const auto file = open_to_read(path);
  if (!file.ok()) return failed(file.error().error_number);
  SecretFile out;
  struct stat status {};
  if (::fstat(file->get(), &status) == 0 && S_ISREG(status.st_mode) && is_open_to_others(status.st_uid, status.st_mode))
    out.warning = fmt::format("the {} '{}' has mode {:04o}: other users may read it; chmod 600 it", what, path,
                              status.st_mode & 07777);
  auto bytes = read_to_end(*file, kSecretFileBytesMax + 1, cancel);
  if (!bytes.ok() && bytes.error().code == ErrorCode::kCancelled)
    return Error(ErrorCode::kCancelled, fmt::format("interrupted while reading the {} '{}'", what, path));
  if (!bytes.ok()) return failed(bytes.error().error_number);
  if (bytes->size() > kSecretFileBytesMax)
    return key_error(fmt::format("the {} '{}' is longer than {} bytes", what, path, kSecretFileBytesMax));
  out.bytes = *std::move(bytes);
  return out;
}

Result<Secret> passphrase_of(SecretBytes text, const std::string& origin) {
  Secret secret;
  secret.kind = SlotKind::kPassphrase;
  secret.bytes = without_line_feed(std::move(text));
  if (secret.bytes.empty()) return key_error(origin + " is empty");
  DRS_RETURN_IF_ERROR(check_room_for_passphrase(read_cgroup_limits()));
  return secret;
}

void advise_on_length(const Secret& secret, std::vector<std::string>& warnings) {
  if (secret.kind == SlotKind::kPassphrase && secret.bytes.size() < kPassphraseCharsAdvised)
    warnings.push_back(fmt::format(
        "the passphrase is shorter than {} characters: an attacker with a copy of the repository can guess it",
        kPassphraseCharsAdvised));
}

Result<SuppliedSecret> read_key_file(const std::string& path, CancelToken& cancel) {
  DRS_ASSIGN_OR_RETURN(SecretFile file, read_secret_file(path, "key file", cancel));
  SuppliedSecret out;
  if (!file.warning.empty()) out.warnings.push_back(std::move(file.warning));
  DRS_ASSIGN_OR_RETURN(out.secret, raw_key_of_text(file.bytes.view(), fmt::format("the key file '{}'", path)));
  return out;
}

Result<SuppliedSecret> read_passphrase_file(const std::string& path, CancelToken& cancel) {
  DRS_ASSIGN_OR_RETURN(SecretFile file, read_secret_file(path, "passphrase file", cancel));
  SuppliedSecret out;
  if (!file.warning.empty()) out.warnings.push_back(std::move(file.warning));
  DRS_ASSIGN_OR_RETURN(out.secret, passphrase_of(std::move(file.bytes), fmt::format("the passphrase file '{}'", path)));
  // The lines behind the first would be part of the passphrase, which no prompt takes.
  if (as_text(out.secret.bytes.view()).find('\n') != std::string_view::npos)
    return Error(ErrorCode::kUsage, fmt::format("the passphrase file '{}' has more than one line; a passphrase is one "
                                                "line, with or without a line end",
                                                path));
  return out;
}

// Runs it without a shell, with stdin from /dev/null (ours may be the stream), our stderr and terminal, and without the
// variables that hold keys; without a time limit, since a person may have to answer. Errors: kUsage (the words),
// kWrongKey (it cannot run or did not exit 0), kCancelled.
Result<SecretBytes> run_passphrase_command(const std::string& command, CancelToken& cancel) {
  auto words = split_words(command);
  if (!words.ok()) return std::move(words).error().with_context("--passphrase-command");
  ChildOptions options;
  options.argv = *std::move(words);
  options.environment_remove = secret_variable_names();
  options.asks_on_terminal = true;
  auto output = command_output(options, kPassphraseOutputBytesMax, cancel);
  if (output.ok() || output.error().code == ErrorCode::kCancelled) return output;
  return as_code_unless_shortage(ErrorCode::kWrongKey,
                                 std::move(output).error().with_context("the passphrase command"));
}

Result<SuppliedSecret> read_options_or_variables(const KeyOptions& options, const char* file_variable,
                                                 const char* key_variable, CancelToken& cancel) {
  if (options.any()) return read_secret(options, cancel);
  if (const char* const path = variable(file_variable); path != nullptr) return read_key_file(path, cancel);
  SuppliedSecret out;
  if (const char* const text = variable(key_variable); text != nullptr) {
    DRS_ASSIGN_OR_RETURN(out.secret, raw_key_of_text(as_bytes(text), key_variable));
  }
  return out;
}

Result<SuppliedSecret> read_passphrase_variable() {
  SuppliedSecret out;
  const char* const text = variable(kPassphraseVariable);
  if (text == nullptr) return out;
  DRS_ASSIGN_OR_RETURN(out.secret, passphrase_of(SecretBytes::copy_of(as_bytes(text)), kPassphraseVariable));
  out.warnings.push_back(
      fmt::format("the passphrase comes from {}, which other processes of this user can read while drstream starts, "
                  "and in the process that started it for longer; prefer --passphrase-file or --passphrase-command",
                  kPassphraseVariable));
  advise_on_length(out.secret, out.warnings);
  return out;
}

Result<SecretBytes> read_line(int fd, const CancelToken& cancel) {
  SecretBytes line(kAnswerBytesMax);
  std::size_t used = 0;
  while (used < line.size()) {
    if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "interrupted while asking for a passphrase");
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kCancelPollMilliseconds) <= 0) continue;
    Byte* const next = line.mutable_view().data() + used;
    const ssize_t got = ::read(fd, next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error(ErrorCode::kWrongKey, "the terminal was closed before a passphrase was given");
    if (*next == '\n') return SecretBytes::copy_of(line.view().first(used));
    ++used;
  }
  return Error(ErrorCode::kWrongKey, "the passphrase is longer than 4096 characters");
}

Result<SecretBytes> ask(const std::string& question, const CancelToken& cancel) {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return missing_key_error();
  auto answer = [&]() -> Result<SecretBytes> {
    const SilencedEcho silence(terminal.get());
    if (!silence.silent()) return Error(ErrorCode::kWrongKey, "the terminal's echo cannot be turned off");
    if (!write_all(terminal.get(), question)) return missing_key_error();
    return read_line(terminal.get(), cancel);
  }();
  static_cast<void>(write_all(terminal.get(), "\n"));
  return answer;
}

}  // namespace

void wipe_variable(const std::string& name) {
  if (char* const value = std::getenv(name.c_str()); value != nullptr)
    wipe({reinterpret_cast<Byte*>(value), std::strlen(value)});
  ::unsetenv(name.c_str());
}

bool is_open_to_others(uid_t owner, mode_t mode) {
  const mode_t planned = owner == 0 ? S_IRWXU | S_IRGRP : S_IRWXU;
  return (mode & (S_IRWXU | S_IRWXG | S_IRWXO) & ~planned) != 0;
}

Result<Secret> raw_key_of_text(ByteView text, const std::string& origin) {
  const bool has_line_feed = !text.empty() && text.back() == '\n';
  if (has_line_feed) text = text.first(text.size() - 1);
  if (has_line_feed && !text.empty() && text.back() == '\r') text = text.first(text.size() - 1);
  if (text.size() != kKeyDigits)
    return key_error(
        fmt::format("{} holds {} characters; a key is exactly {} hex digits", origin, text.size(), kKeyDigits));
  Secret secret;
  secret.kind = SlotKind::kRawKey;
  secret.bytes = SecretBytes(kKeyDigits / 2);
  if (!from_hex(as_text(text), secret.bytes.mutable_view()))
    return key_error(
        fmt::format("{} holds something other than hex digits; a key is exactly {} hex digits", origin, kKeyDigits));
  const ByteView bytes = secret.bytes.view();
  if (std::all_of(bytes.begin(), bytes.end(), [&](Byte b) { return b == bytes.front(); }))
    return key_error(
        fmt::format("{} holds one byte repeated: that is a placeholder, not a key (openssl rand -hex 32 "
                    "makes one)",
                    origin));
  return secret;
}

Secret copy_of(const Secret& secret) {
  return {secret.kind, SecretBytes::copy_of(secret.bytes.view())};
}

Result<Secret> secret_of_answer(SecretBytes answer) {
  const ByteView text = answer.view();
  const bool is_key =
      text.size() == kKeyDigits && as_text(text).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (is_key) return raw_key_of_text(text, "the answer");
  return passphrase_of(std::move(answer), "the answer");
}

Result<Secret> prompt_new_secret(const Prompt& prompt) {
  DRS_ASSIGN_OR_RETURN(SecretBytes first, prompt("New passphrase (or a key of 64 hex digits): "));
  DRS_ASSIGN_OR_RETURN(const SecretBytes second, prompt("The same again: "));
  if (!equal_constant_time(first.view(), second.view()))
    return key_error("the two answers differ; nothing was changed");
  return secret_of_answer(std::move(first));
}

bool key_is_supplied(const KeyOptions& options) {
  return options.any() || variable(kKeyFileVariable) != nullptr || variable(kKeyVariable) != nullptr ||
         variable(kPassphraseVariable) != nullptr;
}

Result<SuppliedSecret> read_secret(const KeyOptions& options, CancelToken& cancel) {
  const int ways = (options.key_file.empty() ? 0 : 1) + (options.passphrase_file.empty() ? 0 : 1) +
                   (options.passphrase_command.empty() ? 0 : 1);
  if (ways > 1)
    return Error(ErrorCode::kUsage,
                 "a key file, a passphrase file and a passphrase command exclude each other: give one, as an option or "
                 "as one of DRSTREAM_KEY_FILE, DRSTREAM_PASSPHRASE_FILE and DRSTREAM_PASSPHRASE_COMMAND");
  SuppliedSecret out;
  if (!options.key_file.empty()) {
    DRS_ASSIGN_OR_RETURN(out, read_key_file(options.key_file, cancel));
  } else if (!options.passphrase_file.empty()) {
    DRS_ASSIGN_OR_RETURN(out, read_passphrase_file(options.passphrase_file, cancel));
  } else if (!options.passphrase_command.empty()) {
    DRS_ASSIGN_OR_RETURN(SecretBytes output, run_passphrase_command(options.passphrase_command, cancel));
    DRS_ASSIGN_OR_RETURN(out.secret, passphrase_of(std::move(output), "the output of the passphrase command"));
  }
  advise_on_length(out.secret, out.warnings);
  return out;
}

Result<SuppliedSecret> read_source_secret(const KeyOptions& options, CancelToken& cancel) {
  return read_options_or_variables(options, kFromKeyFileVariable, kFromKeyVariable, cancel);
}

Result<SuppliedSecret> take_supplied_secret(const KeyOptions& options, CancelToken& cancel) {
  auto secret = read_options_or_variables(options, kKeyFileVariable, kKeyVariable, cancel);
  if (secret.ok() && !secret->given()) secret = read_passphrase_variable();
  wipe_variables();
  return secret;
}

Error missing_key_error() {
  return key_error(
      "no key was given; accepted are --key-file FILE, --passphrase-file FILE, --passphrase-command CMD, the variables "
      "BACKUP_ENCRYPTION_KEY_FILE, BACKUP_ENCRYPTION_KEY (64 hex digits) and DRSTREAM_PASSPHRASE, or a prompt on a "
      "terminal");
}

std::span<const std::string> key_variable_names() {
  static const std::array<std::string, 14> kNames = {kKeyVariable,
                                                     kKeyFileVariable,
                                                     kPassphraseVariable,
                                                     kFromKeyVariable,
                                                     kFromKeyFileVariable,
                                                     "DRSTREAM_KEY_FILE",
                                                     "DRSTREAM_PASSPHRASE_FILE",
                                                     "DRSTREAM_PASSPHRASE_COMMAND",
                                                     "DRSTREAM_NEW_KEY_FILE",
                                                     "DRSTREAM_NEW_PASSPHRASE_FILE",
                                                     "DRSTREAM_NEW_PASSPHRASE_COMMAND",
                                                     "DRSTREAM_FROM_KEY_FILE",
                                                     "DRSTREAM_FROM_PASSPHRASE_FILE",
                                                     "DRSTREAM_FROM_PASSPHRASE_COMMAND"};
  return kNames;
}

std::optional<Prompt> terminal_prompt(const CancelToken& cancel) {
  // With stderr redirected, no person is there to answer.
  if (::isatty(STDERR_FILENO) != 1) return {};
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return {};
  return [&cancel](const std::string& question) { return ask(question, cancel); };
}

}  // namespace drs
