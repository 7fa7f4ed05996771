#include "bench/scale_support.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "codecs/crypto_backend.h"

namespace drs::bench {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double resident_mib(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    double kib = 0;
    if (name == field && status >> kib) return kib / 1024;
  }
  return 0;
}

void reset_resident_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, kUnits[unit]);
  return text.data();
}

void print_machine() {
  std::ifstream cpus("/proc/cpuinfo");
  std::string line, model;
  while (std::getline(cpus, line) && model.empty())
    if (line.starts_with("model name")) model = line.substr(line.find(':') + 2);
  utsname kernel{};
  ::uname(&kernel);
  std::printf("%s, Linux %s, compiler %s, %s\n", model.c_str(), kernel.release, __VERSION__,
              crypto_library_versions().c_str());
}

std::vector<double> numbers(const char* text) {
  std::vector<double> out;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) out.push_back(std::strtod(item.c_str(), nullptr));
  return out;
}

}  // namespace drs::bench
