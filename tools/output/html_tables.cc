#include "tools/output/html_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "tools/output/evidence.h"
#include "tools/output/evidence_values.h"
#include "tools/output/json_members.h"
#include "tools/output/markup_text.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumnsMax = 9;  // that fit on A4
constexpr std::size_t kDepthMax = 5;

// Columns that stand first, in this order, in whichever table has them.
constexpr std::array<std::string_view, 21> kFirstColumns = {
    "topic",     "target",    "outcome",  "stream",      "status",
    "severity",  "place",     "object",   "age_seconds", "newest_within_seconds",
    "id",        "time",      "sequence", "bytes",       "snapshot_count",
    "good_time", "partition", "state",    "range_count", "problem",
    "problems"};
// Columns for programs; those of histories are charts.
constexpr std::array<std::string_view, 9> kHidden = {"size_history",   "coverage_history", "newest_id",
                                                     "good_id",        "previous_bytes",   "producer_seen",
                                                     "affected_count", "unreadable_count", "command"};
// Members whose words are coloured, and decide the order of rows.
constexpr std::array<std::string_view, 3> kWordMembers = {"status", "severity", "outcome"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool holds_objects(const Json& value) {
  return value.is_array() && std::ranges::any_of(value, [](const Json& one) { return one.is_object(); });
}

bool is_plain(const Json& value) {
  return !value.is_object() && !value.is_array();
}

bool is_empty(const Json& value) {
  return value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

// An object whose members are all objects of plain values: rows with names, such as the stages of a push.
bool is_table(const Json& object) {
  return object.size() > 1 && std::ranges::all_of(object, [](const Json& member) {
           return member.is_object() && std::ranges::all_of(member, is_plain);
         });
}

std::string_view word_of(const Json& row) {
  for (const std::string_view member : kWordMembers)
    if (const std::string_view word = text_member(row, member); !word.empty()) return word;
  return {};
}

// What names a row elsewhere on the page.
std::string label_of(const Json& row) {
  for (const std::string_view member : {"stream", "topic", "place", "object", "id", "record", "repository"})
    if (const std::string_view text = text_member(row, member); !text.empty()) return std::string(text);
  return "";
}

// `rows` as the table shows them: the worst first, otherwise in their order.
std::vector<const Json*> in_order(const std::vector<const Json*>& rows) {
  std::vector<const Json*> out = rows;
  std::ranges::stable_sort(out, {}, [](const Json* row) {
    const std::string_view word = word_of(*row);
    return word.empty() ? std::size_t{0} : rank_of_word(word);
  });
  return out;
}

struct Columns {
  std::vector<std::string> names;
  std::size_t left_out = 0;
};

Columns columns_of(const std::vector<const Json*>& rows) {
  std::vector<std::string> found;
  for (const Json* row : rows)
    for (const auto& [name, value] : row->items()) {
      if (is_one_of(kHidden, name) || value.is_object() || holds_objects(value) || is_empty(value)) continue;
      if (name.ends_with("manifest") && row->contains("id")) continue;  // the id names it as well
      if (std::ranges::find(found, name) == found.end()) found.push_back(name);
    }
  Columns out;
  for (const std::string_view name : kFirstColumns)
    if (std::ranges::find(found, name) != found.end()) out.names.emplace_back(name);
  for (const std::string& name : found)
    if (!is_one_of(kFirstColumns, name)) out.names.push_back(name);
  if (out.names.size() > kColumnsMax) {
    // Problems stay, wherever they stand.
    const auto problems = std::find_if(out.names.begin(), out.names.end(),
                                       [](const std::string& name) { return name.starts_with("problem"); });
    if (problems != out.names.end() && problems - out.names.begin() >= static_cast<std::ptrdiff_t>(kColumnsMax))
      std::rotate(out.names.begin() + kColumnsMax - 1, problems, problems + 1);
    out.left_out = out.names.size() - kColumnsMax;
    out.names.resize(kColumnsMax);
  }
  return out;
}

std::string cell_class(const std::string& name, const Json& value) {
  if (is_quantity(value)) return " class=\"n\"";
  if (is_identifier(value)) return " class=\"id\"";
  if (is_time(value)) return " class=\"t\"";
  if (!is_one_of(kWordMembers, name) || !value.is_string()) return "";
  return fmt::format(" class=\"word {}\"", verdict_word(verdict_of_word(value.get_ref<const std::string&>())));
}

std::string cell_text(const std::string& name, const Json& value) {
  return markup_value(field_text(name, value),
                      name.starts_with("problem") ? kMarkupProblemBytesMax : kMarkupValueBytesMax);
}

class Page {
 public:
  void add_object(const std::string& title, const Json& object, std::size_t depth) {
    if (depth > kDepthMax) return;
    add_figures(title, object);
    for (const auto& [name, value] : object.items()) {
      const std::string part = depth == 0 ? field_title(name) : title + ": " + field_title(name);
      if (holds_objects(value)) {
        std::vector<const Json*> rows;
        for (const Json& row : value)
          if (row.is_object()) rows.push_back(&row);
        add_table(part, rows, depth);
      } else if (value.is_array()) {
        add_list(part, value);
      } else if (value.is_object()) {
        if (is_table(value))
          add_named_rows(part, value);
        else
          add_object(part, value, depth + 1);
      }
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void begin(const std::string& title) { out_ += fmt::format("<section>\n<h2>{}</h2>\n", markup_value(title)); }
  void end() { out_ += "</section>\n"; }

  void add_figures(const std::string& title, const Json& object) {
    std::string figures;
    for (const auto& [name, value] : object.items()) {
      if (!is_plain(value) || is_empty(value) || name == "schema" || name == "exit_code") continue;
      figures += fmt::format("<div><dt>{}</dt><dd{}>{}</dd></div>\n", markup_value(field_title(name)),
                             is_identifier(value) ? " class=\"id\"" : "", markup_value(field_text(name, value)));
    }
    if (figures.empty()) return;
    begin(title);
    out_ += "<dl class=\"figures\">\n" + figures + "</dl>\n";
    end();
  }

  void add_list(const std::string& title, const Json& list) {
    const bool is_answer = title == "Findings" || title == "Warnings";
    if (list.empty() && !is_answer) return;
    begin(title);
    if (list.empty()) out_ += "<p>None.</p>\n";
    if (!list.empty()) {
      out_ += "<ul>\n";
      for (std::size_t i = 0; i < std::min(list.size(), kListEntriesMax); ++i)
        out_ += fmt::format("<li>{}</li>\n", markup_message(field_text("", list[i])));
      out_ += "</ul>\n";
    }
    add_rest(list.size(), kListEntriesMax);
    end();
  }

  void add_rest(std::size_t count, std::size_t shown_max) {
    if (count > shown_max)
      out_ += fmt::format("<p class=\"note\">And {} more, which the JSON form lists.</p>\n", count - shown_max);
  }

  void add_table(const std::string& title, const std::vector<const Json*>& rows, std::size_t depth) {
    begin(title);
    add_rows(in_order(rows), "", {});
    end();
    add_nested(title, rows, depth);
  }

  // `names`: of rows that have no member for it; the first column then, titled `names_title`.
  void add_rows(const std::vector<const Json*>& rows, const std::string& names_title,
                const std::vector<std::string>& names) {
    const Columns columns = columns_of(rows);
    out_ += "<table>\n<thead><tr>";
    if (!names.empty()) out_ += "<th>" + markup_value(names_title) + "</th>";
    for (const std::string& name : columns.names) {
      const bool right =
          std::ranges::any_of(rows, [&](const Json* row) { return row->contains(name) && is_quantity((*row)[name]); });
      out_ += fmt::format("<th{}>{}</th>", right ? " class=\"n\"" : "", markup_value(field_title(name)));
    }
    out_ += "</tr></thead>\n<tbody>\n";
    for (std::size_t i = 0; i < std::min(rows.size(), kTableRowsMax); ++i) {
      out_ += "<tr>";
      if (!names.empty())
        out_ += fmt::format("<td{}>{}</td>", is_identifier(names[i]) ? " class=\"id\"" : "", markup_value(names[i]));
      for (const std::string& name : columns.names) {
        const auto found = rows[i]->find(name);
        if (found == rows[i]->end())
          out_ += "<td></td>";
        else
          out_ += fmt::format("<td{}>{}</td>", cell_class(name, *found), cell_text(name, *found));
      }
      out_ += "</tr>\n";
    }
    out_ += "</tbody>\n</table>\n";
    add_rest(rows.size(), kTableRowsMax);
    if (columns.left_out > 0)
      out_ += fmt::format("<p class=\"note\">{} further columns are in the JSON form.</p>\n", columns.left_out);
  }

  // The lists of objects within rows: one table for each member, with the row's own name in front. Objects within rows:
  // a section each.
  void add_nested(const std::string& title, const std::vector<const Json*>& rows, std::size_t depth) {
    std::vector<std::string> done;
    std::size_t objects = 0;
    for (const Json* row : rows)
      for (const auto& [name, value] : row->items()) {
        if (is_one_of(kHidden, name)) continue;
        if (value.is_object() && objects++ < kListEntriesMax)
          add_object(label_of(*row) + ": " + field_title(name), value, depth + 1);
        if (!holds_objects(value) || std::ranges::find(done, name) != done.end()) continue;
        done.push_back(name);
        add_joined(title + ": " + field_title(name), rows, name);
      }
  }

  void add_joined(const std::string& title, const std::vector<const Json*>& parents, const std::string& name) {
    std::vector<Json> flat;  // of tables whose cells show what is within
    std::vector<const Json*> rows;
    std::vector<std::string> names;
    for (const Json* parent : parents)
      for (const Json& row : list_member(*parent, name)) {
        if (!row.is_object()) continue;
        names.push_back(label_of(*parent));
        flat.push_back(row);
        for (auto& member : flat.back())
          if (holds_objects(member)) member = field_text("", member);
      }
    for (const Json& row : flat) rows.push_back(&row);
    begin(title);
    add_rows(rows, "Of", names);
    end();
  }

  void add_named_rows(const std::string& title, const Json& object) {
    std::vector<const Json*> rows;
    std::vector<std::string> names;
    for (const auto& [name, row] : object.items()) {
      names.push_back(field_title(name));
      rows.push_back(&row);
    }
    begin(title);
    add_rows(rows, "Kind", names);
    end();
  }

  std::string out_;
};

}  // namespace

std::string document_html(const std::string& title, const Json& document) {
  Page page;
  page.add_object(title, document, 0);
  return page.take();
}

}  // namespace drs
