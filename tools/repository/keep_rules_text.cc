#include "tools/repository/keep_rules_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "tools/cli/option_builder.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

constexpr std::string_view kUnlimited = "unlimited";

struct CountOption {
  const char* name;
  std::uint64_t KeepRules::*count;
  const char* description;
};
constexpr std::array kCountOptions = {
    CountOption{"--keep-last", &KeepRules::last,
                "Keep the newest N snapshots; N may be unlimited (or -1), here and below"},
    CountOption{"--keep-hourly", &KeepRules::hourly,
                "Keep the newest of each of the last N hours that have a snapshot"},
    CountOption{"--keep-daily", &KeepRules::daily, "The same of days"},
    CountOption{"--keep-weekly", &KeepRules::weekly, "The same of weeks, which begin on Monday"},
    CountOption{"--keep-monthly", &KeepRules::monthly, "The same of months"},
    CountOption{"--keep-yearly", &KeepRules::yearly, "The same of years"},
};

std::string reason_text(const KeepReason& reason) {
  std::string remark = reason.place == KeepReason::Place::kOldest ? "oldest" : "";
  if (reason.clock == KeepReason::Clock::kStore) remark += fmt::format("{}store's time", remark.empty() ? "" : ", ");
  return std::string(keep_rule_name(reason.rule)) + (remark.empty() ? "" : " (" + remark + ")");
}

}  // namespace

Result<std::uint64_t> parse_keep_count(std::string_view text) {
  if (text == kUnlimited || text == "-1") return kKeepAll;
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc{} && end == text.data() + text.size() && count < kKeepAll) return count;
  return Error(ErrorCode::kUsage,
               fmt::format("'{}' is not accepted; accepted are whole numbers from 0, and {}", text, kUnlimited));
}

Result<KeepRules> KeepOptions::all() const {
  KeepRules out = rules;
  for (const std::string& text : tags) {
    DRS_ASSIGN_OR_RETURN(const TagFilter filter, parse_tag_filter({text}));
    out.tags.insert(filter.begin(), filter.end());
  }
  return out;
}

std::vector<CLI::Option*> add_keep_options(CLI::App& app, KeepOptions& options) {
  std::vector<CLI::Option*> out;
  for (const CountOption& option : kCountOptions)
    out.push_back(add_parsed(app, option.name, options.rules.*option.count, parse_keep_count, "N", option.description));
  out.push_back(add_parsed(app, "--keep-within", options.rules.within, parse_calendar_span, "SPAN",
                           "Keep what is less than SPAN older than the newest snapshot: 30d, 1y6m (m is months)"));
  out.push_back(add_texts(app, "--keep-tag", options.tags, "KEY[=VALUE]",
                          "Keep snapshots with this tag, with any value if none is given; may be given several times"));
  for (CLI::Option* const option : out) option->group("Rules: a snapshot stays if one of them keeps it");
  return out;
}

std::string format_keep_rules(const KeepRules& rules) {
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    out += fmt::format("{}{} {}", out.empty() ? "" : " ", name, value);
  };
  for (const CountOption& option : kCountOptions)
    if (const std::uint64_t count = rules.*option.count; count != 0)
      add(option.name, count == kKeepAll ? std::string(kUnlimited) : std::to_string(count));
  if (!rules.within.is_zero()) add("--keep-within", format_calendar_span(rules.within));
  for (const auto& [key, value] : rules.tags) add("--keep-tag", key + (value ? "=" + *value : ""));
  return out;
}

std::string format_reasons(const std::vector<KeepReason>& reasons) {
  std::string out;
  for (const KeepReason& reason : reasons) out += (out.empty() ? "" : ", ") + reason_text(reason);
  return out;
}

}  // namespace drs
