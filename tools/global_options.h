// Options of every command. They stand before or behind the command's name.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "io/ring.h"
#include "tools/keys.h"
#include "tools/log.h"
#include "tools/progress.h"

namespace drs {

struct GlobalOptions {
  std::string repository;
  std::uint64_t memory_bytes = 0;  // set by declare_global_options
  std::uint64_t threads = 0;       // 0: one for each core
  IoChoice io = IoChoice::kAuto;
  bool json = false;
  ProgressMode progress = ProgressMode::kAuto;
  std::optional<std::uint64_t> progress_fd;
  LogOptions log;
  KeyOptions key;
  std::string state_dir;

  [[nodiscard]] std::size_t thread_count() const;  // never 0
};

// `options` must outlive `app`.
void declare_global_options(CLI::App& app, GlobalOptions& options);

}  // namespace drs
