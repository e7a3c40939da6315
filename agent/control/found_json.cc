#include "control/found_json.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "control/json_value.h"

namespace tribecast::control {
namespace {

using json_value::child;
using json_value::Json;

constexpr std::size_t kMaxFoundAddresses = 64;
constexpr std::size_t kMostQuoted = 60;

std::string quoted(std::string_view text) {
  return "'" + printable(text.substr(0, kMostQuoted)) + "'" +
         (text.size() > kMostQuoted ? "..." : "");
}

// One text or a list of them; false when it is neither.
bool get_addresses(const Json& value, std::vector<std::string>& out) {
  if (value.is_string()) {
    out.push_back(value.get<std::string>());
    return true;
  }
  if (!value.is_array() || value.empty() || value.size() > kMaxFoundAddresses) return false;
  for (const Json& one : value) {
    if (!one.is_string()) return false;
    out.push_back(one.get<std::string>());
  }
  return true;
}

// What is wrong with it; empty when it is good.
std::string read_object(std::string_view text, FoundLine& out) {
  const Json json = json_value::parsed(text);
  if (json.is_discarded()) return quoted(text) + " is no JSON";
  if (!json.is_object()) return quoted(text) + " is no JSON object";
  const Json& name = child(json, "name");
  if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
    return "\"name\" is no text, or missing";
  }
  out.name = name.get<std::string>();
  if (!get_addresses(child(json, "address"), out.addresses)) {
    return "\"address\" is neither a text nor a list of at most " +
           std::to_string(kMaxFoundAddresses) + " texts, or missing";
  }
  const Json& site = child(json, "site");
  if (!site.is_null() && !site.is_string()) return "\"site\" is no text";
  json_value::get(json, "site", out.site);
  return {};
}

}  // namespace

Result<std::vector<FoundLine>, FoundFault> read_found_json(std::string_view text) {
  if (text.size() > kMaxFoundBytes) return Unexpected<FoundFault>{{0, "more than 1 MiB"}};
  std::vector<FoundLine> lines;
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    if (lines.size() == kMaxFoundLines) {
      return Unexpected<FoundFault>{
          {number, "more than " + std::to_string(kMaxFoundLines) + " peers"}};
    }
    FoundLine& found = lines.emplace_back();
    found.line = number;
    if (auto wrong = read_object(line, found); !wrong.empty()) {
      return Unexpected<FoundFault>{{number, std::move(wrong)}};
    }
  }
  return lines;
}

}  // namespace tribecast::control
