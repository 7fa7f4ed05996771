// Replays a corpus without libFuzzer: passes every file at or below the given paths to the decoder once, in path order,
// so that every build tests that earlier findings stay fixed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes);

namespace {

namespace fs = std::filesystem;

// Appends the files at or below `root`. Returns false if `root` does not exist or cannot be listed.
bool append_files(const fs::path& root, std::vector<fs::path>& files) {
  std::error_code error;
  const fs::file_status status = fs::status(root, error);
  if (fs::is_regular_file(status)) {
    files.push_back(root);
    return true;
  }
  for (fs::recursive_directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file(error)) {
      files.push_back(entry->path());
    }
  }
  return !error;
}

// Returns false if the file cannot be read. Prints the file's name first, since a bug in the decoder ends the program.
bool replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) {
    return false;
  }
  std::fprintf(stderr, "%s\n", path.c_str());
  // A heap copy of exact size, so that AddressSanitizer detects reads past the end.
  const std::vector<std::uint8_t> input(content.begin(), content.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  for (int index = 1; index < argc; ++index) {
    if (!append_files(argv[index], files)) {
      std::fprintf(stderr, "%s: cannot be read\n", argv[index]);
      return 1;
    }
  }
  if (files.empty()) {
    std::fprintf(stderr, "no input: name the folders to replay\n");
    return 1;
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    if (!replay(path)) {
      std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
      return 1;
    }
  }
  std::printf("%zu inputs replayed\n", files.size());
  return 0;
}
