#include "tools/command.h"

#include "tools/cli/option_builder.h"
#include "tools/output/printable.h"
#include "tools/repository/repository_location.h"

namespace drs {

ProgressOptions progress_options(const CommandContext& context, std::string_view command) {
  ProgressOptions options;
  options.command = command;
  options.on_console = shows_progress(context.options.progress, context.console, context.options.log.quiet);
  options.log_format = context.options.log.format;
  if (context.options.progress_fd) options.fd = static_cast<int>(*context.options.progress_fd);
  return options;
}

const Command* CommandSet::parsed() const {
  for (const Command& command : commands_) {
    // "key add" has parsed "key" too: the chosen one is the leaf.
    if (command.app->parsed() && command.app->get_subcommands().empty()) return &command;
  }
  return nullptr;
}

CLI::App* add_subcommand(CLI::App& parent, const std::string& name, const std::string& description,
                         const std::string& examples) {
  CLI::App* const app = parent.add_subcommand(name, description);
  app->fallthrough();
  if (!examples.empty()) app->footer("Examples:\n" + examples);
  return app;
}

std::string metrics_repository(const GlobalOptions& options) {
  const auto place = parse_repository_location(options.repository, options);
  return hide_key_digits(hide_url_credentials(place.ok() ? place->name : options.repository));
}

void warn_of_unwritten_metrics(const Result<void>& written, spdlog::logger& log) {
  if (!written.ok()) log.warn("no metrics were written: {}", written.error().message);
}

std::shared_ptr<RunMetrics> add_run_metrics(CLI::App& app, std::string_view work) {
  auto metrics = std::make_shared<RunMetrics>();
  metrics->work = work;
  add_text(
      app, "--metrics", metrics->file, "FILE",
      "Write how the run went, for node_exporter's textfile collector; a name that ends in .prom, one for each job");
  add_metrics_push(app, metrics->push);
  return metrics;
}

void add_metrics_push(CLI::App& app, MetricsPush& push) {
  as_setting(add_text(app, "--metrics-push", push.url, "URL",
                      "Send the metrics to the Pushgateway at https://host[:port][/path]; waits 10 seconds at most"));
  as_setting(add_text(app, "--metrics-push-credentials", push.credentials_file, "FILE",
                      "USER:PASSWORD for that Pushgateway, in a file; needs https://"));
}

std::shared_ptr<std::vector<std::string>> add_reports(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  add_texts(app, "--report", *files, "FILE",
            "Write how the run went, also when it fails: a page to file (.html), JUnit (.xml) or JSON (.json); may be "
            "given several times");
  return files;
}

}  // namespace drs
