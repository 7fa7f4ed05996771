// The command line in its two parts: ours, and the child's command behind "--", which CLI11 never sees.
#pragma once

#include <string>
#include <vector>

namespace drs {

struct Arguments {
  std::vector<std::string> own;    // without argv[0]
  std::vector<std::string> child;  // behind the first "--"
  bool has_mark = false;           // "--" was there
};
Arguments split_arguments(int argc, const char* const* argv);

}  // namespace drs
