// Which settings of librdkafka an operator may give. Pure functions of names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drs {

// Why a setting is refused, as the end of a sentence that begins with its name; none if this table does not know it.
std::optional<std::string> refused_kafka_setting(std::string_view name, std::string_view value);

// The one name of a setting that has two.
std::string_view kafka_setting_name(std::string_view name);

}  // namespace drs
