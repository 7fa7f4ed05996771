// Text on its way to a terminal. Names, messages and quotes come from stored objects, from servers and from children,
// and anyone who can store a damage mark or answer for a server chooses their bytes: an escape sequence could rewrite
// what the operator reads. Console and Output pass all they write through here, and so does what a child says.
#pragma once

#include <string>
#include <string_view>

namespace drs {

// Whether it is UTF-8 as JSON takes it: no overlong form, no surrogate.
bool is_utf8(std::string_view text);

// Text of several lines: control characters other than a line feed and a tab, the marks that turn the direction of
// writing, and bytes that are not UTF-8 become \x1b, \u202e, \xff. Everything else stays as it is.
std::string printable_lines(std::string_view text);
// The same for a value that stands in a line: a line feed and a tab become \n and \t, so that no value can look like a
// line of its own.
std::string printable_value(std::string_view text);
// What a command says on its stderr: as lines, but a carriage return stays, since progress is shown with it.
std::string printable_speech(std::string_view text);
// A message that may quote several lines: each after the first is indented.
std::string printable_message(std::string_view text);
// JSON text: the same characters become \u escapes, which mean the same to a parser. `text` is valid UTF-8, and such
// characters stand only within its strings.
std::string printable_json(std::string_view text);

}  // namespace drs
