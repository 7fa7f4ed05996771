#include "tools/output.h"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/printable.h"

namespace drs {

bool Output::on_terminal() const {
  return stdout_is_data_ ? console_.is_terminal() : style_.is_terminal;
}

void Output::text(std::string_view lines, Tone tone) {
  if (!options_.json) emit(lines, tone);
}

void Output::remark(std::string_view lines) {
  if (!options_.quiet) text(lines);
}

void Output::document(std::string_view schema, const nlohmann::ordered_json& body) {
  if (!options_.json) return;
  wrote_document_ = true;
  nlohmann::ordered_json whole;
  whole["schema"] = schema;
  whole.update(body);
  whole.update(appended_);
  emit(json_text(whole, 2), Tone::kPlain);
}

void Output::append(std::string_view name, nlohmann::ordered_json value) {
  appended_[std::string(name)] = std::move(value);
}

void Output::emit(std::string_view text, Tone tone) {
  if (failure_) return;  // after a part no whole can follow
  if (stdout_is_data_) {
    console_.write_lines(text, tone);
    return;
  }
  console_.end_status();
  std::string out = with_tone(printable_lines(text), tone, style_);
  if (!out.ends_with('\n')) out += '\n';
  switch (LineSender(options_.stdout_fd).deliver(out, [this] { return console_.waits_for_reader(); })) {
    case LineSender::Delivery::kWhole: return;
    case LineSender::Delivery::kGivenUp:
      failure_ = Error{ErrorCode::kCancelled, "asked to stop while the reader of stdout did not read"};
      return;
    case LineSender::Delivery::kFailed: failure_ = error_from_errno(errno, "write to stdout");
  }
}

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return printable_json(value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace drs
