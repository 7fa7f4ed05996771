// Breaks the lines of a message between words, for a terminal of a given width. Elsewhere lines stay as they are:
// scripts read them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace drs {

// `lines` with line feeds where one is wider than `columns`. What continues a line stands two columns further in than
// the line began, or below its last column if the line is a row such as "io      works". A word that does not fit in a
// line of its own stays whole, so that names can be copied. Below 40 columns nothing is broken.
std::string wrapped_lines(std::string_view lines, std::size_t columns);

// The columns that UTF-8 text takes, one for each code point.
std::size_t text_columns(std::string_view text);

}  // namespace drs
