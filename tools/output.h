// Output: what a command answers. Text, or with --json one document with a versioned schema; on stdout, or on stderr
// where stdout carries a restored stream. Threads: one.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "io/result.h"
#include "tools/console.h"
#include "tools/terminal_style.h"

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
  // From now on stdout belongs to the stream: answers go to stderr.
  void yield_stdout() { stdout_is_data_ = true; }
  // Whether a person reads them: where they go is a terminal. Elsewhere scripts may, and the form of lines is stable.
  [[nodiscard]] bool on_terminal() const;
  // Lines of text; nothing with --json. `tone` colours the first.
  void text(std::string_view lines, Tone tone = Tone::kPlain);
  // The same for remarks that -q takes away.
  void remark(std::string_view lines);
  // The one document; nothing without --json. `schema` such as "drstream.push/1" is put in front.
  void document(std::string_view schema, const nlohmann::ordered_json& body);
  // A member to stand last in that document, be it an answer or a failure's.
  void append(std::string_view name, nlohmann::ordered_json value);
  // The first failure to write to stdout.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] bool wrote_document() const { return wrote_document_; }

 private:
  void emit(std::string_view text, Tone tone);
  const Options options_;
  const TerminalStyle style_;  // of stdout
  Console& console_;
  bool stdout_is_data_ = false;
  bool wrote_document_ = false;
  nlohmann::ordered_json appended_ = nlohmann::ordered_json::object();
  std::optional<Error> failure_;
};

// JSON text of a value; bytes that are not UTF-8 are replaced, so that this cannot fail, and what a terminal would obey
// is escaped. `indent` < 0: one line.
std::string json_text(const nlohmann::ordered_json& value, int indent);

}  // namespace drs
