// Declares options on a CLI11 command, all in one form: our own parsers read the values, an empty value is refused (an
// unset variable of a script), and the help shows the list of choices where there is one. An option comes from the
// command line alone unless it is declared as a setting.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/result.h"

namespace drs {

// "DRSTREAM_REPOSITORY" of "-r,--repo,--repository": made of the last long name. Empty where there is none.
std::string variable_name(const CLI::Option& option);
// "DRSTREAM_REPOSITORY" of "repository".
std::string variable_name(std::string_view long_name);
// Makes `option` a setting: its variable sets it too, and so may a configuration file (tools/config/settings.h). Only
// for repositories, keys, stores, resources and output. An option that changes the meaning of one call is never a
// setting: with a forgotten variable in the environment, drstream would store, restore or accept something else, with
// exit 0. Returns `option`.
CLI::Option* as_setting(CLI::Option* option);
// Refuses an empty value, which would count as none. Returns `option`.
CLI::Option* refuse_empty(CLI::Option* option);

// A value read by `parse`, whose kUsage text becomes the error. `target` must outlive the parsing.
template <typename T, typename Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& names, T& target, Parse parse, const std::string& value_name,
                        const std::string& description) {
  auto* const option = app.add_option_function<std::string>(
      names,
      [&target, parse](const std::string& text) {
        if (auto value = parse(std::string_view(text)); value.ok()) target = *std::move(value);
      },
      description);
  option->type_name(value_name)
      ->check(CLI::Validator(
          [parse](std::string& text) {
            auto value = parse(std::string_view(text));
            return value.ok() ? std::string() : std::move(value).error().message;
          },
          "", ""));
  return option;
}

CLI::Option* add_text(CLI::App& app, const std::string& names, std::string& target, const std::string& value_name,
                      const std::string& description);
// May be given several times.
CLI::Option* add_texts(CLI::App& app, const std::string& names, std::vector<std::string>& target,
                       const std::string& value_name, const std::string& description);
CLI::Option* add_flag(CLI::App& app, const std::string& names, bool& target, const std::string& description);

// One of a few words.
template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& names, T& target,
                        const std::vector<std::pair<std::string, T>>& choices, const std::string& description) {
  std::string value_name;
  for (const auto& [word, value] : choices) value_name += (value_name.empty() ? "" : "|") + word;
  const auto parse = [choices, value_name](std::string_view text) -> Result<T> {
    for (const auto& [word, value] : choices)
      if (word == text) return value;
    return Error(ErrorCode::kUsage, "'" + std::string(text) + "' is not known; accepted is " + value_name);
  };
  return add_parsed(app, names, target, parse, value_name, description);
}

// Whole numbers between two bounds.
std::function<Result<std::uint64_t>(std::string_view)> number_between(std::uint64_t least, std::uint64_t most);

}  // namespace drs
