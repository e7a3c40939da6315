#include "control/aliyun.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "control/json_value.h"

namespace tribecast::control::aliyun {
namespace {

using json_value::child;
using json_value::Json;

constexpr std::array<std::string_view, 3> kKinds = {"server_cfg.json", "client_cfg.json", "iplist"};
constexpr const char* kGroups = "multi_group_array";
constexpr const char* kServers = "multi_server_info_array";
constexpr std::size_t kMaxShown = 64;

Unexpected<std::string> wrong(std::string what) { return {std::move(what)}; }

std::string shown(std::string_view text) { return printable(text.substr(0, kMaxShown)); }

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Reads one file, and counts its entries.
class JsonFile {
 public:
  Result<File, std::string> read(const Json& json) {
    for (const auto& [key, value] : json.items()) {
      if (key != kGroups && key != kServers) odd("unknown key '" + shown(key) + "'");
    }
    if (json.contains(kGroups)) {
      file_.kind = Kind::server;
      each(json, kGroups, [this](const Json& entry) { group(entry); });
    }
    if (json.contains(kServers)) {
      if (!json.contains(kGroups)) file_.kind = Kind::client;
      each(json, kServers, [this](const Json& entry) { server(entry); });
    }
    if (!error_.empty()) return wrong(error_);
    return std::move(file_);
  }

 private:
  template <class Do>
  void each(const Json& json, const char* key, Do what) {
    const Json& entries = child(json, key);
    if (!entries.is_array()) {
      error_ = std::string(key) + " is no list";
      return;
    }
    for (const Json& entry : entries) {
      if (++count_ > kMaxEntries) {
        error_ = "more than " + std::to_string(kMaxEntries) + " entries";
        return;
      }
      what(entry);
    }
  }

  void odd(std::string what) {
    if (file_.odd.size() < kMaxEntries) file_.odd.push_back(std::move(what));
  }

  void check_keys(const Json& entry, std::string_view where,
                  std::initializer_list<std::string_view> known) {
    if (!entry.is_object()) return odd(std::string(where) + ": an entry that is no object");
    for (const auto& [key, value] : entry.items()) {
      if (std::ranges::find(known, key) == known.end()) {
        odd(std::string(where) + ": unknown key '" + shown(key) + "'");
      }
    }
  }

  std::string text(const Json& entry, const char* key) {
    std::string out;
    json_value::get(entry, key, out);
    return std::string(trimmed(out));
  }

  std::optional<std::uint64_t> port(const Json& entry, const char* key) {
    const Json& value = child(entry, key);
    if (value.is_null()) return std::nullopt;
    const auto number = value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>())
                                                   : number_in(text(entry, key));
    if (!number || *number > 65535) {
      odd(std::string(key) + " is no port");
      return std::nullopt;
    }
    return number;
  }

  void group(const Json& entry) {
    check_keys(entry, kGroups, {"group_ip", "group_port", "server_port", "member_array"});
    Group group{text(entry, "group_ip"), port(entry, "group_port"), port(entry, "server_port"), {}};
    if (entry.is_object() && entry.contains("member_array")) {
      each(entry, "member_array", [&](const Json& member) {
        if (member.is_string()) {
          group.members.emplace_back(trimmed(member.get_ref<const std::string&>()));
        } else {
          odd("member_array: a member that is no text");
        }
      });
    }
    file_.groups.push_back(std::move(group));
  }

  void server(const Json& entry) {
    check_keys(entry, kServers,
               {"server_ip", "server_port", "group_ip", "group_port", "client_port"});
    auto group_port = port(entry, "group_port");
    if (!group_port) group_port = port(entry, "client_port");
    file_.servers.push_back({text(entry, "server_ip"), text(entry, "group_ip"), group_port,
                             port(entry, "server_port")});
  }

  File file_;
  std::string error_;
  std::size_t count_ = 0;
};

// `ADDRESS PORT`, then an address a line.
Result<File, std::string> read_list(std::string_view text) {
  File file{Kind::iplist, {}, {}, {}};
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.find('#') != line.npos) continue;
    if (file.groups.empty()) {
      const std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
      const auto port = number_in(trimmed(line.substr(blank)));
      if (!port || *port > 65535) {
        return wrong("line " + std::to_string(number) + ": '" + shown(line) +
                     "' is no group and port, such as 228.0.0.4 45564");
      }
      file.groups.push_back({std::string(line.substr(0, blank)), *port, std::nullopt, {}});
      continue;
    }
    if (file.groups.front().members.size() == kMaxEntries) {
      return wrong("more than " + std::to_string(kMaxEntries) + " entries");
    }
    file.groups.front().members.emplace_back(line);
  }
  if (file.groups.empty()) return wrong("the file is empty");
  return file;
}

}  // namespace

std::string_view name_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<File, std::string> read(std::string_view text) {
  if (text.size() > kMaxBytes) return wrong("larger than 1 MiB");
  if (text.find('\0') != text.npos) return wrong("here is no text");
  const std::string_view begin = trimmed(text);
  if (!begin.starts_with('{') && !begin.starts_with('[')) return read_list(text);
  const Json json = Json::parse(begin, nullptr, false);
  if (json.is_discarded()) return wrong("this is no JSON");
  if (!json.is_object() || (!json.contains(kGroups) && !json.contains(kServers))) {
    return wrong(std::string("neither ") + kGroups + " nor " + kServers + " is in it");
  }
  return JsonFile().read(json);
}

}  // namespace tribecast::control::aliyun
