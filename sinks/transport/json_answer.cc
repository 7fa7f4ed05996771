#include "sinks/transport/json_answer.h"

namespace drs {

std::optional<nlohmann::json> read_json_object(ByteView json) {
  nlohmann::json document = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  if (!document.is_object()) return std::nullopt;
  return document;
}

const std::string* json_text(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return nullptr;
  const auto& text = found->get_ref<const std::string&>();
  return text.empty() ? nullptr : &text;
}

std::string json_text_or(const nlohmann::json& object, const char* name, std::string_view otherwise) {
  const std::string* const text = json_text(object, name);
  return text == nullptr ? std::string(otherwise) : *text;
}

const nlohmann::json* json_part(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found != object.end() && found->is_structured() ? &*found : nullptr;
}

SecretBytes take_json_secret(nlohmann::json& object, const char* name) {
  if (json_text(object, name) == nullptr) return {};
  auto& text = object[name].get_ref<std::string&>();
  SecretBytes out = SecretBytes::copy_of(as_bytes(text));
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return out;
}

}  // namespace drs
