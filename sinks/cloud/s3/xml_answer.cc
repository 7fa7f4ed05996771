#include "sinks/cloud/s3/xml_answer.h"

namespace drs {

Result<pugi::xml_document> read_xml_answer(ByteView xml, std::string_view what) {
  pugi::xml_document document;
  // Keys may be of spaces only.
  constexpr unsigned kOptions = pugi::parse_default | pugi::parse_ws_pcdata_single;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), kOptions, pugi::encoding_utf8);
  if (!parsed)
    return Error(ErrorCode::kUnavailable, std::string(what) + " is not well-formed XML: at byte " +
                                              std::to_string(parsed.offset) + " of " + std::to_string(xml.size()) +
                                              ": " + parsed.description());
  return document;
}

std::optional<std::string> xml_text(pugi::xml_node parent, const char* name) {
  const pugi::xml_node element = parent.child(name);
  if (!element) return std::nullopt;
  std::string out;
  for (const pugi::xml_node part : element.children()) {
    if (part.type() != pugi::node_pcdata && part.type() != pugi::node_cdata) return std::nullopt;
    out += part.value();
  }
  return out;
}

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace drs
