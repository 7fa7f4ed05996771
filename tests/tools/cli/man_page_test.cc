#include "tools/cli/man_page.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <set>

#include "tests/io/temporary_directory.h"
#include "tools/application.h"

namespace drs {
namespace {

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  out += "exit " + std::to_string(::pclose(pipe));
  return out;
}

std::vector<ManPage> pages() {
  return man_pages(command_tree(CommandModel().root));
}

TEST(ManPage, ThereIsOneForEachCommandAndSubcommand) {
  std::set<std::string> names;
  for (const ManPage& page : pages()) names.insert(page.name);
  for (const char* name : {"drstream", "drstream-push", "drstream-key", "drstream-key-add", "drstream-repair-index"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_FALSE(names.contains("drstream-man"));
}

TEST(ManPage, TheMainPageHasTheExitCodesAndTheKeys) {
  const std::string text = pages().front().text;
  for (const char* part : {".SH EXIT STATUS", ".B 14", ".B 128+N", ".SH KEYS", "BACKUP_ENCRYPTION_KEY",
                           ".SH ENVIRONMENT", ".SH STORES", ".SS Back up"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(ManPage, EveryPageFormatsWithoutAWarning) {
  if (output_of("command -v groff").ends_with("exit 0") == false) GTEST_SKIP() << "groff is not installed";
  const test::TemporaryDirectory directory;
  std::string files;
  for (const ManPage& page : pages()) {
    const std::string path = directory.file(page.name + ".1");
    std::ofstream(path) << page.text;
    files += " " + path;
  }
  EXPECT_EQ(output_of("groff -man -Tutf8 -ww -rLL=100n -z" + files), "exit 0");
}

}  // namespace
}  // namespace drs
