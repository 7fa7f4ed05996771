// drstream version: this program, its libraries, and which of them were chosen here.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "codecs/crypto_backend.h"
#include "io/ring.h"
#include "tools/cli/identity.h"
#include "tools/command.h"

namespace drs {
namespace {

std::string_view chosen_io(IoChoice choice) {
  if (choice == IoChoice::kPosix) return io_backend_name(IoBackend::kPosix);
  return io_backend_name(probe_uring().uring_usable ? IoBackend::kUring : IoBackend::kPosix);
}

std::string compiler() {
#ifdef __clang__
  return __VERSION__;  // names itself
#else
  return "GCC " __VERSION__;
#endif
}

Result<ExitCode> run_version(CommandContext& context) {
  if (context.options.io == IoChoice::kUring && !probe_uring().uring_usable)
    return Error(ErrorCode::kUsage, "--io uring: " + probe_uring().reason);
  const std::string_view io = chosen_io(context.options.io);
  const std::string_view crypto = crypto_backend_name(best_crypto_backend());
  nlohmann::ordered_json document;
  document["version"] = version_line();
  document["format_version"] = kFormatVersion;
  document["compiler"] = compiler();
  document["io_backend"] = io;
  document["crypto_backend"] = crypto;
  std::string text = fmt::format("{}\nformat version  {}\ncompiler        {}\nio backend      {}\ncrypto backend  {}\n",
                                 version_line(), kFormatVersion, compiler(), io, crypto);
  for (const auto& [name, version] : library_versions()) {
    document["libraries"][name] = version;
    text += fmt::format("{:<15} {}\n", name, version);
  }
  context.output.document("drstream.version/1", document);
  context.output.text(text);
  return ExitCode::kOk;
}

}  // namespace

void add_version_command(CommandSet& commands) {
  CLI::App* const app =
      add_subcommand(commands.root(), "version", "Show versions, and the I/O and crypto backends chosen",
                     "  drstream version\n  drstream version --io posix --json\n");
  commands.add({
      .app = app,
      .effect = CommandEffect::kReads,
      .run = run_version,
      .reads_configuration = false,
  });
}

}  // namespace drs
