#include "io/base/pattern.h"

#include <fnmatch.h>
#include <regex.h>

#include <array>

namespace drs {

struct Pattern::Compiled {
  regex_t regex{};
  bool valid = false;
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (valid) ::regfree(&regex);
  }
};

Result<Pattern> Pattern::compile(const std::string& text) {
  const auto compiled = std::make_shared<Compiled>();
  const int status = ::regcomp(&compiled->regex, text.c_str(), REG_EXTENDED | REG_NEWLINE);
  if (status == 0) {
    compiled->valid = true;
    return Pattern(compiled);
  }
  std::array<char, 256> why{};
  ::regerror(status, &compiled->regex, why.data(), why.size());
  return Error(ErrorCode::kUsage, "'" + text + "' is not a POSIX extended regular expression: " + why.data());
}

bool Pattern::matches_part_of(ByteView text) const {
  // Zero-terminated for AddressSanitizer, which does not know that REG_STARTEND makes it unnecessary.
  const std::string terminated(as_text(text));
  regmatch_t range{};
  range.rm_so = 0;
  range.rm_eo = static_cast<regoff_t>(terminated.size());
  return ::regexec(&compiled_->regex, terminated.c_str(), 0, &range, REG_STARTEND) == 0;
}

bool Pattern::matches(std::string_view text) const {
  const std::string terminated(text);
  // POSIX finds the longest of the matches that begin first: where one begins at 0 and is the whole text, this is it.
  regmatch_t match{};
  return ::regexec(&compiled_->regex, terminated.c_str(), 1, &match, 0) == 0 && match.rm_so == 0 &&
         match.rm_eo == static_cast<regoff_t>(terminated.size());
}

bool is_glob(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

bool matches_glob(const std::string& glob, const std::string& name) {
  return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

}  // namespace drs
