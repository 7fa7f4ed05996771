// Patterns of names and texts: POSIX extended regular expressions, and globs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// A compiled regular expression of the C library. std::regex recurses for every byte of the text; this does not.
class Pattern {
 public:
  // Errors: kUsage (not a POSIX extended regular expression).
  static Result<Pattern> compile(const std::string& text);
  // Whether it matches any part of `text`; ^ and $ match at the ends of lines.
  [[nodiscard]] bool matches_part_of(ByteView text) const;
  // Whether it matches the whole of `text`.
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

// Whether a name matches a glob: * ? [...], where * matches any characters.
bool matches_glob(const std::string& glob, const std::string& name);
bool is_glob(std::string_view text);

}  // namespace drs
