// Reads XML answers of services, with pugixml. Internal to sinks/cloud/s3.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Parses the document. Does not expand entities beyond the five of XML. Errors: kUnavailable, since an answer that is
// not XML came from a proxy, or is incomplete; `what` names it in the text ("the list of objects").
Result<pugi::xml_document> read_xml_answer(ByteView xml, std::string_view what);

// The text of an element; none if the element is absent or holds elements.
std::optional<std::string> xml_text(pugi::xml_node parent, const char* name);

// `text` as the content of an element.
std::string xml_escape(std::string_view text);

}  // namespace drs
