#include "tools/output/output.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "io/base/ascii.h"
#include "tools/output/printable.h"

namespace drs {
namespace {

nlohmann::ordered_json with_exit_code(int exit_status, const nlohmann::ordered_json& body) {
  nlohmann::ordered_json whole;
  whole["exit_code"] = exit_status;
  whole.update(body);
  return whole;
}

}  // namespace

bool Output::on_terminal() const {
  return stdout_is_data_ ? console_.is_terminal() : style_.is_terminal;
}

std::size_t Output::columns_max() const {
  if (!on_terminal()) return std::numeric_limits<std::size_t>::max();
  return terminal_columns(stdout_is_data_ ? console_.fd() : options_.stdout_fd);
}

void Output::text(std::string_view lines, Tone tone) {
  if (!options_.json) emit(lines, tone);
}

void Output::remark(std::string_view lines) {
  if (!options_.quiet) text(lines);
}

void Output::document(std::string_view schema, const nlohmann::ordered_json& body) {
  if (!options_.json && !keeps_document_) return;
  wrote_document_ = true;
  nlohmann::ordered_json whole = whole_document(schema, body);
  if (options_.json) emit(dump_json(whole, JsonLayout::kIndented), Tone::kVerbatim);
  if (keeps_document_) kept_ = std::move(whole);
}

void Output::document(std::string_view schema, int exit_status, const nlohmann::ordered_json& body) {
  document(schema, with_exit_code(exit_status, body));
}

void Output::record(std::string_view schema, int exit_status, const nlohmann::ordered_json& body) {
  if (keeps_document_) kept_ = whole_document(schema, with_exit_code(exit_status, body));
}

nlohmann::ordered_json Output::whole_document(std::string_view schema, const nlohmann::ordered_json& body) const {
  nlohmann::ordered_json whole;
  whole["schema"] = schema;
  whole.update(body);
  whole.update(appended_);
  return whole;
}

void Output::append(std::string_view name, nlohmann::ordered_json value) {
  appended_[std::string(name)] = std::move(value);
}

void Output::emit(std::string_view text, Tone tone) {
  if (failure_) return;  // the output is cut already
  if (stdout_is_data_) {
    console_.write_lines(text, tone);
    return;
  }
  console_.end_status();
  const std::size_t columns = style_.is_terminal ? terminal_columns(options_.stdout_fd) : 0;
  std::string out = lines_for(style_, columns, printable_lines(text), tone);
  if (!out.ends_with('\n')) out += '\n';
  switch (LineSender(options_.stdout_fd).deliver(out, [this] { return console_.waits_for_reader(); })) {
    case LineSender::Delivery::kWhole: return;
    case LineSender::Delivery::kGivenUp:
      failure_ = Error(ErrorCode::kCancelled, "asked to stop while the reader of stdout did not read");
      return;
    case LineSender::Delivery::kFailed: failure_ = error_from_errno(errno, "write to stdout");
  }
}

std::string dump_json(const nlohmann::ordered_json& value, JsonLayout layout) {
  const int indent = layout == JsonLayout::kIndented ? 2 : -1;  // -1: one line
  return printable_json(value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::string json_word(std::string_view name) {
  std::string word = ascii_lower(name);
  std::ranges::replace_if(
      word, [](char c) { return c == ' ' || c == '_'; }, '-');
  return word;
}

void set_text(nlohmann::ordered_json& object, std::string_view name, std::string_view text) {
  if (!text.empty()) object[std::string(name)] = text;
}

}  // namespace drs
