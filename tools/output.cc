#include "tools/output.h"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/printable.h"

namespace drs {

void Output::text(std::string_view lines) {
  if (!options_.json) emit(lines);
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
  emit(json_text(whole, 2));
}

void Output::append(std::string_view name, nlohmann::ordered_json value) {
  appended_[std::string(name)] = std::move(value);
}

void Output::emit(std::string_view text) {
  if (stdout_is_data_) {
    console_.write_lines(text);
    return;
  }
  console_.end_status();
  std::string out = printable_lines(text);
  if (!out.ends_with('\n')) out += '\n';
  if (!write_all(options_.stdout_fd, out) && !failure_) failure_ = error_from_errno(errno, "write to stdout");
}

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return printable_json(value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace drs
