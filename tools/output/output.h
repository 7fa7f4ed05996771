// Output: what a command answers. Text, or with --json one document with a versioned schema; on stdout, or on stderr
// where stdout carries a restored stream. Threads: one.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "io/base/result.h"
#include "tools/output/console.h"
#include "tools/output/terminal.h"

namespace drs {

class Output {
 public:
  struct Options {
    bool json = false;
    bool quiet = false;
    int stdout_fd = 1;  // borrowed
  };
  Output(const Options& options, Console& console)
      : options_(options), style_(terminal_style(options.stdout_fd)), console_(console) {}

  [[nodiscard]] bool json() const { return options_.json; }
  // From now on stdout carries a stream: answers go to stderr.
  void yield_stdout() { stdout_is_data_ = true; }
  // Whether answers go to a terminal, where a person reads them. Elsewhere scripts may read them, so the form of lines
  // is stable.
  [[nodiscard]] bool on_terminal() const;
  // How wide a line may be: no limit where they do not go to a terminal.
  [[nodiscard]] std::size_t columns_max() const;
  // Lines of text; nothing with --json. On a terminal they are wrapped and coloured: `lines_for`.
  void text(std::string_view lines, Tone tone = Tone::kPlain);
  // Text that is the answer with --json, too: help, manual pages, completion scripts.
  void page(std::string_view lines) { emit(lines, Tone::kVerbatim); }
  // Lines of text that -q suppresses.
  void remark(std::string_view lines);
  // The one document; printed with --json alone. `schema`, such as "drstream.push/1", stands first in it.
  void document(std::string_view schema, const nlohmann::ordered_json& body);
  // The document of a command that may answer and exit with another code than 0: `exit_status` stands second.
  void document(std::string_view schema, int exit_status, const nlohmann::ordered_json& body);
  // From now on the document is kept for `kept_document`, also without --json.
  void keep_document() { keeps_document_ = true; }
  // Keeps the document of a command that answers in another form than text or JSON; nothing is printed.
  void record(std::string_view schema, int exit_status, const nlohmann::ordered_json& body);
  // The last one; null if there is none, or none is kept.
  [[nodiscard]] const nlohmann::ordered_json& kept_document() const { return kept_; }
  // A member to append to the document, whether that is an answer or an error.
  void append(std::string_view name, nlohmann::ordered_json value);
  // The first failure to write to stdout.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // Whether there was a document, printed or kept.
  [[nodiscard]] bool wrote_document() const { return wrote_document_; }

 private:
  void emit(std::string_view text, Tone tone);
  [[nodiscard]] nlohmann::ordered_json whole_document(std::string_view schema,
                                                      const nlohmann::ordered_json& body) const;
  const Options options_;
  const TerminalStyle style_;  // of stdout
  Console& console_;
  bool stdout_is_data_ = false;
  bool wrote_document_ = false;
  bool keeps_document_ = false;
  nlohmann::ordered_json kept_;
  nlohmann::ordered_json appended_ = nlohmann::ordered_json::object();
  std::optional<Error> failure_;
};

enum class JsonLayout : std::uint8_t { kOneLine, kIndented };
// A value as JSON; bytes that are not UTF-8 are replaced, so that this cannot fail, and terminal control characters are
// escaped.
std::string dump_json(const nlohmann::ordered_json& value, JsonLayout layout);

// A name in the form of enumerated words in JSON: lower case with hyphens. "stream-digest", "o-direct".
std::string json_word(std::string_view name);
// Puts a text into an object; an empty one is left out, as docs/JSON.md ("Form") promises.
void set_text(nlohmann::ordered_json& object, std::string_view name, std::string_view text);

}  // namespace drs
