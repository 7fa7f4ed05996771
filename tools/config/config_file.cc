#include "tools/config/config_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/base/bytes.h"
#include "io/base/error_class.h"
#include "io/read_to_end.h"
#include "tools/output/printable.h"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace drs {
namespace {

constexpr std::size_t kConfigBytesMax = 1 * kMiB;
constexpr std::string_view kRepositoryTable = "repository";
constexpr std::string_view kRetentionTables = "retention";
constexpr std::string_view kExpectTables = "expect";
constexpr std::string_view kUseRepo =
    "a file names the repository by `repo = ...`: TOML has no room for `repository = ...` beside [repository.NAME]";
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

Error usage(std::string text) {
  return {ErrorCode::kUsage, std::move(text)};
}

Result<void> check_owner(const std::string& path, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return usage(fmt::format("the configuration file '{}' is a directory", path));
  if (S_ISCHR(status.st_mode)) return {};  // /dev/null: no configuration
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return usage(
        fmt::format("the configuration file '{}' belongs to user {}, neither to root nor to the user who runs "
                    "drstream ({}): it may name commands, and is not read; chown it, or name another file by "
                    "--config",
                    path, status.st_uid, ::geteuid()));
  if ((status.st_mode & 022) != 0)
    return usage(
        fmt::format("the configuration file '{}' has mode {:04o}: users other than its owner can write it, and it may "
                    "name commands, so it is not read; chmod 644 (or 600) it",
                    path, status.st_mode & 07777));
  return {};
}

// Turns tables of toml++ into ours.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Result<ConfigFile> read(const toml::table& root) const {
    ConfigFile file;
    DRS_ASSIGN_OR_RETURN(file.entries, read_entries(root, Table::kRoot));
    DRS_ASSIGN_OR_RETURN(file.retentions, read_tables(root, kRetentionTables, "the rules of a retention stand"));
    DRS_ASSIGN_OR_RETURN(file.expectations, read_tables(root, kExpectTables, "what is expected stands"));
    const toml::node* const repositories = root.get(kRepositoryTable);
    if (repositories == nullptr) return file;
    if (!repositories->is_table()) return error(*repositories, std::string(kUseRepo));
    for (const auto& [key, node] : *repositories->as_table()) {
      const std::string name(key.str());
      if (!node.is_table())
        return error(node,
                     fmt::format("'{}' belongs to no repository; a repository has a name, as in [repository.offsite]",
                                 hide_key_digits(name)));
      if (name.empty() || name.find_first_not_of(kNameCharacters) != std::string::npos)
        return error(node,
                     fmt::format("'{}' is not a name for a repository; accepted are letters, digits, '.', '_' and '-'",
                                 hide_key_digits(name)));
      ConfigTable table{name, origin(node), {}};
      DRS_ASSIGN_OR_RETURN(table.entries, read_entries(*node.as_table(), Table::kInner));
      file.repositories.push_back(std::move(table));
    }
    return file;
  }

 private:
  // `what`: of the content, for a message: "the rules of a retention stand".
  [[nodiscard]] Result<std::vector<ConfigTable>> read_tables(const toml::table& root, std::string_view name,
                                                             std::string_view what) const {
    std::vector<ConfigTable> tables;
    const toml::node* const found = root.get(name);
    if (found == nullptr) return tables;
    if (!found->is_array_of_tables())
      return error(*found, fmt::format("{} below [[{}]], in two brackets: there may be several", what, name));
    for (const toml::node& node : *found->as_array()) {
      ConfigTable table{"", origin(node), {}};
      DRS_ASSIGN_OR_RETURN(table.entries, read_entries(*node.as_table(), Table::kInner));
      tables.push_back(std::move(table));
    }
    return tables;
  }

  [[nodiscard]] std::string origin(const toml::node& node) const {
    return fmt::format("{}:{}", path_, node.source().begin.line);
  }
  [[nodiscard]] Error error(const toml::node& node, const std::string& text) const {
    return usage(origin(node) + ": " + text);
  }

  // The root may also hold [repository], [[retention]] and [[expect]], which are read elsewhere.
  enum class Table : std::uint8_t { kRoot, kInner };
  [[nodiscard]] Result<std::vector<ConfigEntry>> read_entries(const toml::table& table, Table kind) const {
    std::vector<std::pair<std::uint32_t, ConfigEntry>> found;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const bool elsewhere = name == kRepositoryTable || name == kRetentionTables || name == kExpectTables;
      if (kind == Table::kRoot && elsewhere) continue;
      if (node.is_table() || node.is_array_of_tables())
        return error(node, fmt::format("there is no table '{}'; accepted are [repository.NAME], [[retention]] and "
                                       "[[expect]]",
                                       hide_key_digits(name)));
      DRS_ASSIGN_OR_RETURN(ConfigEntry entry, read_entry(name, node));
      found.emplace_back(node.source().begin.line, std::move(entry));
    }
    std::ranges::stable_sort(found, {}, [](const auto& line_and_entry) { return line_and_entry.first; });
    std::vector<ConfigEntry> entries;
    for (auto& [line, entry] : found) entries.push_back(std::move(entry));
    return entries;
  }

  [[nodiscard]] Result<ConfigEntry> read_entry(const std::string& name, const toml::node& node) const {
    ConfigEntry entry;
    entry.key = name;
    entry.origin = origin(node);
    if (const auto* const text = node.as_string()) {
      entry.values = {text->get()};
    } else if (const auto* const number = node.as_integer()) {
      entry.form = ConfigEntry::Form::kInteger;
      entry.values = {std::to_string(number->get())};
    } else if (const auto* const flag = node.as_boolean()) {
      entry.form = ConfigEntry::Form::kBoolean;
      entry.values = {flag->get() ? "true" : "false"};
    } else if (const auto* const list = node.as_array()) {
      entry.form = ConfigEntry::Form::kTexts;
      for (const toml::node& element : *list) {
        if (!element.is_string())
          return error(element, fmt::format("'{}' is a list of values other than text in quotes", name));
        entry.values.push_back(element.as_string()->get());
      }
      if (entry.values.empty()) return error(node, fmt::format("'{}' is an empty list; leave it out instead", name));
    } else {
      return error(node, fmt::format("'{}' is a time or a number with a fraction; accepted are text in quotes, whole "
                                     "numbers, true and false, and lists of text",
                                     hide_key_digits(name)));
    }
    return entry;
  }

  const std::string& path_;
};

// The parser recurses once for each part of a dotted key, without a bound.
constexpr std::ptrdiff_t kKeyPartsMax = 64;

Result<void> check_key_depth(std::string_view text, const std::string& path) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view key = text.substr(0, std::min(text.find('='), end));
    if (std::ranges::count(key, '.') >= kKeyPartsMax)
      return usage(fmt::format("{}:{}: not valid TOML: a key of more than {} parts", path, line, kKeyPartsMax));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_config_file(const std::string& path, CancelToken& cancel) {
  const auto failed = [&](const Error& error) {
    if (error.code == ErrorCode::kCancelled) return error;
    return as_code_unless_shortage(ErrorCode::kUsage, {error.code,
                                                       fmt::format("cannot read the configuration file '{}': {}", path,
                                                                   std::strerror(error.error_number)),
                                                       error.error_number});
  };
  const auto file = open_to_read(path);
  if (!file.ok() && (file.error().error_number == ENOENT || file.error().error_number == ENOTDIR))
    return std::optional<std::string>();
  if (!file.ok()) return failed(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return failed(error_from_errno(errno, path));
  DRS_RETURN_IF_ERROR(check_owner(path, status));
  const auto bytes = read_to_end(*file, kConfigBytesMax + 1, cancel);
  if (!bytes.ok()) return failed(bytes.error());
  if (bytes->size() > kConfigBytesMax)
    return usage(fmt::format("the configuration file '{}' is larger than 1 MiB", path));
  return std::optional(std::string(as_text(bytes->view())));
}

Result<ConfigFile> parse_config_file(std::string_view text, const std::string& path) {
  DRS_RETURN_IF_ERROR(check_key_depth(text, path));
  const toml::parse_result parsed = toml::parse(text);
  if (parsed) return Reader(path).read(parsed.table());
  const toml::parse_error& error = parsed.error();
  std::string message =
      fmt::format("{}:{}: not valid TOML: {}", path, error.source().begin.line, hide_key_digits(error.description()));
  if (message.find("existing string 'repository.") != std::string::npos) message += fmt::format("; {}", kUseRepo);
  return usage(std::move(message));
}

}  // namespace drs
