#include "tools/arguments.h"

#include <string_view>

namespace drs {

Arguments split_arguments(int argc, const char* const* argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    if (out.has_mark)
      out.child.emplace_back(argv[i]);
    else if (std::string_view(argv[i]) == "--")
      out.has_mark = true;
    else
      out.own.emplace_back(argv[i]);
  }
  return out;
}

}  // namespace drs
