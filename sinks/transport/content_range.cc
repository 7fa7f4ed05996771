#include "sinks/transport/content_range.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace drs {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ContentRange> content_range(const HttpTransfer& answer) {
  constexpr std::string_view kUnit = "bytes ";
  const std::string_view text = answer.header("content-range");
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.rfind('/');
  if (!text.starts_with(kUnit) || dash == std::string_view::npos || slash == std::string_view::npos)
    return std::nullopt;
  const auto begin = number(text.substr(kUnit.size(), dash - kUnit.size()));
  const auto size = number(text.substr(slash + 1));
  if (!begin || !size) return std::nullopt;
  return ContentRange{*begin, *size};
}

std::optional<std::uint64_t> whole_object_bytes(const HttpTransfer& answer) {
  if (answer.status != 200 || answer.header("etag").empty()) return std::nullopt;
  if (answer.header("content-type").starts_with("text/html") || !answer.header("content-encoding").empty())
    return std::nullopt;
  return number(answer.header("content-length"));
}

std::optional<std::uint64_t> object_bytes(const HttpTransfer& answer) {
  if (answer.status == 200) return whole_object_bytes(answer);
  const auto range = content_range(answer);
  return range ? std::optional(range->object_bytes) : std::nullopt;
}

Result<void> check_range(const HttpTransfer& answer, std::uint64_t offset_bytes, std::size_t bytes) {
  const auto unexpected = [](const std::string& what) { return Error(ErrorCode::kUnavailable, "the store " + what); };
  const auto whole = whole_object_bytes(answer);
  if (answer.status != 206 && !whole)
    return unexpected("does not answer with a range, but with status " + std::to_string(answer.status));
  const auto short_of = [&](std::uint64_t expected) -> Result<void> {
    if (answer.received_bytes == expected) return {};
    return unexpected("sent " + std::to_string(answer.received_bytes) + " of " + std::to_string(expected) + " bytes");
  };
  if (whole) return short_of(std::min<std::uint64_t>(bytes, *whole - std::min(*whole, offset_bytes)));
  const auto range = content_range(answer);
  if (!range || range->begin_bytes != offset_bytes || range->object_bytes <= offset_bytes)
    return unexpected("does not say that it sent the range that was asked for");
  return short_of(std::min<std::uint64_t>(bytes, range->object_bytes - offset_bytes));
}

}  // namespace drs
