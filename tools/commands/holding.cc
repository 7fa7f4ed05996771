#include "tools/commands/holding.h"

#include <string>

#include "tools/output/hold_text.h"
#include "tools/output/quantity_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr std::int32_t kHoldSpanDaysMax = 100 * 366;

}  // namespace

Result<WallNs> parse_hold_until(std::string_view text, WallNs now_ns) {
  // A number without a unit is a year, not a duration. The longest months and years: a hold never ends too early.
  if (const auto span = parse_calendar_span(text); span.ok()) {
    const auto days_of = [](std::int32_t count, std::int32_t days) { return std::int64_t{count} * days; };
    const std::int64_t days = days_of(span->years, 366) + days_of(span->months, 31) + span->days;
    if (span->hours != 0 && span->months != 0)
      return Error(ErrorCode::kUsage,
                   "'" + std::string(text) + "' may mean months or minutes: give hours, or such as 90d");
    if (days > kHoldSpanDaysMax || span->hours > kHoldSpanDaysMax)
      return Error(
          ErrorCode::kUsage,
          "'" + std::string(text) + "' is longer than 100 years: give a time such as 90d, or none to hold for ever");
    return now_ns + std::chrono::nanoseconds(std::chrono::hours(24 * days + span->hours)).count();
  }
  auto time = parse_time(text, now_ns, TimeEdge::kEnd);
  if (!time.ok()) return std::move(time).error().with_context("neither a time nor a duration such as 90d");
  return time;
}

Result<HoldRequest> hold_request(const HoldChoice& choice, WallNs now_ns) {
  HoldRequest request;
  request.reason = choice.reason;
  if (!choice.until.empty()) {
    DRS_ASSIGN_OR_RETURN(request.until_ns, parse_hold_until(choice.until, now_ns));
  }
  DRS_RETURN_IF_ERROR(check_hold(request, now_ns));
  return request;
}

void warn_of_shorter_hold(const CommandContext& context, const HoldRequest& request, const HoldReport& report) {
  const WallNs until_ns = report.held ? report.held->until_ns : 0;
  if (until_ns == 0 || (request.until_ns != 0 && request.until_ns <= until_ns)) return;
  context.log.warn(
      "the snapshot is held {}, not {}: these credentials may not create objects under kept/, which only a pruner's "
      "may; "
      "hold it with those",
      hold_text(*report.held), request.until_ns == 0 ? "for ever" : "until " + format_time_local(request.until_ns));
}

}  // namespace drs
