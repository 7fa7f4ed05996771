// Text on its way to a terminal. Names, messages and quotes come from stored objects, from servers and from children,
// and anyone who can store a damage mark or answer for a server chooses their bytes: an escape sequence could rewrite
// what the operator reads. Console, Output and the stderr of children pass through here.
#pragma once

#include <string>
#include <string_view>

namespace drs {

// Whether it is UTF-8 as JSON takes it: no overlong form, no surrogate.
bool is_utf8(std::string_view text);

// Text of several lines: control characters other than a line feed and a tab, bidirectional control marks, and bytes
// that are not UTF-8 become \x1b, \u202e, \xff. Everything else stays as it is.
std::string printable_lines(std::string_view text);
// The same for a value within a line: a line feed and a tab become \n and \t, so that a value cannot imitate a line of
// its own.
std::string printable_value(std::string_view text);
// The stderr of a command: as for lines, but carriage returns stay, since programs draw progress with them.
std::string printable_speech(std::string_view text);
// A message that may quote several lines: each after the first is indented.
std::string printable_message(std::string_view text);
// JSON text: the same characters become \u escapes, which mean the same to a parser. `text` is valid UTF-8, and such
// characters stand only within its strings.
std::string printable_json(std::string_view text);

// A key that was given where a name belongs must not reach a terminal or a log: `text` with each run of at least 64 hex
// digits, which is what a key looks like, replaced by a note. The names of objects, which are digests, stay.
std::string hide_key_digits(std::string_view text);

// "s3://ID:SECRET@bucket/prefix" with a note in the place of "ID:SECRET". Any other text stays as it is.
std::string hide_url_credentials(std::string_view text);

// Whether `text` holds such a run.
bool has_key_digits(std::string_view text);

}  // namespace drs
