#include "tools/cli/option_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "io/base/ascii.h"

namespace drs {

std::string variable_name(const CLI::Option& option) {
  const std::vector<std::string>& names = option.get_lnames();
  return names.empty() ? "" : variable_name(names.back());
}

std::string variable_name(std::string_view long_name) {
  std::string variable = "DRSTREAM_" + ascii_upper(long_name);
  std::ranges::replace(variable, '-', '_');
  return variable;
}

CLI::Option* as_setting(CLI::Option* option) {
  const std::string variable = variable_name(*option);
  DRS_ASSERT(!variable.empty(), "a setting without a long name has no variable");
  return option->envname(variable);
}

CLI::Option* refuse_empty(CLI::Option* option) {
  return option->check(CLI::Validator(
      [](const std::string& text) { return text.empty() ? std::string("an empty value is not accepted") : ""; }, "",
      ""));
}

CLI::Option* add_text(CLI::App& app, const std::string& names, std::string& target, const std::string& value_name,
                      const std::string& description) {
  return refuse_empty(app.add_option(names, target, description)->type_name(value_name));
}

CLI::Option* add_texts(CLI::App& app, const std::string& names, std::vector<std::string>& target,
                       const std::string& value_name, const std::string& description) {
  // One value each time, so that it does not take the argument behind it.
  return refuse_empty(app.add_option(names, target, description)
                          ->type_name(value_name)
                          ->expected(1)
                          ->allow_extra_args(false)
                          ->take_all());
}

CLI::Option* add_flag(CLI::App& app, const std::string& names, bool& target, const std::string& description) {
  return app.add_flag(names, target, description);
}

std::function<Result<std::uint64_t>(std::string_view)> number_between(std::uint64_t least, std::uint64_t most) {
  return [least, most](std::string_view text) -> Result<std::uint64_t> {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number >= least && number <= most) return number;
    return Error(ErrorCode::kUsage,
                 fmt::format("'{}' is not accepted; accepted are whole numbers from {} to {}", text, least, most));
  };
}

}  // namespace drs
