// What a service answers in XML, read with pugixml. Internal to sinks/s3.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// The document. Entities beyond the five of XML are not expanded. Errors: kUnavailable, since an answer that is not XML
// came from something in between, or is not all there; `what` names it in the text ("the list of objects").
Result<pugi::xml_document> read_xml_answer(ByteView xml, std::string_view what);

// The text of an element; none when the element is absent or holds elements.
std::optional<std::string> xml_text(pugi::xml_node parent, const char* name);

// `text` as the content of an element.
std::string xml_escape(std::string_view text);

}  // namespace drs
