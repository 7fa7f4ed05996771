#include "tools/cli/identity.h"

#include <fmt/core.h>
#include <lz4.h>
#include <spdlog/version.h>
#include <toml++/impl/version.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>
#include <CLI/Version.hpp>
#include <array>
#include <nlohmann/json.hpp>

#include "codecs/crypto_backend.h"
#include "sinks/kafka/kafka_cluster.h"

namespace drs {

std::string version_line() {
  return "drstream " DRSTREAM_VERSION;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

std::vector<std::pair<std::string, std::string>> library_versions() {
  const unsigned xxhash = XXH_versionNumber();
  std::vector<std::pair<std::string, std::string>> out = {
      {"zstd", ZSTD_versionString()},
      {"lz4", LZ4_versionString()},
      {"xxhash", fmt::format("{}.{}.{}", xxhash / 10000, xxhash / 100 % 100, xxhash % 100)},
      {"crypto", crypto_library_versions()},
      {"librdkafka", kafka_client_version()},
      {"liburing", DRSTREAM_LIBURING_VERSION},
      {"CLI11", CLI11_VERSION},
      {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
      {"nlohmann-json",
       fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
      {"toml++", fmt::format("{}.{}.{}", TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH)},
  };
  return out;
}

}  // namespace drs
