#include "doctor/server_xml.h"

#include <algorithm>
#include <charconv>

namespace tribecast::doctor {
namespace {

constexpr std::string_view kBlanksOfXml = " \t\r\n";

struct Tag {
  std::string_view name;
  std::string_view attributes;  // between the name and the end of the tag
};

void skip_past(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
}

// Where the tag ends: `>` may stand in a value.
std::size_t end_of_tag(std::string_view text) {
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at;
    }
  }
  return std::string_view::npos;
}

// The next tag, taken off the text together with what stands before it.
std::optional<Tag> take_tag(std::string_view& text) {
  while (true) {
    text.remove_prefix(std::min(text.find('<'), text.size()));
    if (text.empty()) return std::nullopt;
    if (text.starts_with("<!--")) {
      skip_past(text, "-->");
    } else if (text.starts_with("<![CDATA[")) {
      skip_past(text, "]]>");
    } else {
      const std::size_t end = end_of_tag(text);
      if (end == std::string_view::npos) return std::nullopt;
      const std::string_view inside = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      const std::size_t name = std::min(inside.find_first_of(kBlanksOfXml), inside.size());
      return Tag{inside.substr(0, name), inside.substr(name)};
    }
  }
}

std::string attribute(const Tag& tag, std::string_view wanted) {
  std::string_view text = tag.attributes;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanksOfXml), text.size()));
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return {};
    std::string_view name = text.substr(0, equals);
    name = name.substr(0, std::min(name.find_first_of(kBlanksOfXml), name.size()));
    text.remove_prefix(equals + 1);
    text.remove_prefix(std::min(text.find_first_not_of(kBlanksOfXml), text.size()));
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) return {};
    const std::size_t end = text.find(text.front(), 1);
    if (end == std::string_view::npos) return {};
    if (name == wanted) return std::string(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
  }
}

void read_cluster(const Tag& tag, ServerXml& out) {
  out.cluster = true;
  const std::string options = attribute(tag, "channelSendOptions");
  std::uint32_t value = 0;
  const char* const end = options.data() + options.size();
  const auto [stop, error] = std::from_chars(options.data(), end, value);
  if (error == std::errc{} && stop == end) out.send_options = value;
}

}  // namespace

ServerXml parse_server_xml(std::string_view text) {
  ServerXml out;
  while (const auto tag = take_tag(text)) {
    if (tag->name == "Cluster" && !out.cluster) read_cluster(*tag, out);
    if (tag->name == "/Cluster") break;
    if (!out.cluster) continue;
    if (tag->name == "Membership") out.membership_bind = attribute(*tag, "bind");
    if (tag->name == "Receiver") out.receiver_address = attribute(*tag, "address");
  }
  return out;
}

}  // namespace tribecast::doctor
