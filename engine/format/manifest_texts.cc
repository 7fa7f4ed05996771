#include "engine/format/manifest_texts.h"

namespace drs {
namespace {

std::string mark(std::size_t bytes) {
  return "[cut: it had " + std::to_string(bytes) + " bytes]";
}

Error too_long(const std::string& what, std::size_t bytes, std::size_t bytes_max) {
  return {ErrorCode::kUsage,
          what + " " + std::to_string(bytes) + " bytes, but a snapshot records at most " + std::to_string(bytes_max)};
}

}  // namespace

std::size_t tags_bytes(const std::map<std::string, std::string>& tags) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : tags) bytes += 4 + key.size() + value.size();
  return bytes;
}

Result<void> check_stream_name_bytes(const std::string& stream) {
  if (stream.empty()) return Error(ErrorCode::kUsage, "a stream needs a name");
  if (stream.size() > kManifestStreamBytesMax)
    return too_long("the name of the stream has", stream.size(), kManifestStreamBytesMax);
  return {};
}

Result<void> check_tags_bytes(const std::map<std::string, std::string>& tags, std::size_t bytes_max) {
  if (const std::size_t bytes = tags_bytes(tags); bytes > bytes_max) return too_long("the tags have", bytes, bytes_max);
  return {};
}

Result<void> check_trailer_pattern_bytes(const std::string& pattern) {
  if (pattern.size() <= kManifestTrailerBytesMax) return {};
  return too_long("the pattern of the trailer has", pattern.size(), kManifestTrailerBytesMax);
}

std::string keep_beginning(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const std::string told = " " + mark(text.size());
  text.resize(bytes_max - told.size());
  return text + told;
}

std::string keep_end(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const std::string told = mark(text.size()) + " ";
  return told + text.substr(text.size() - (bytes_max - told.size()));
}

}  // namespace drs
