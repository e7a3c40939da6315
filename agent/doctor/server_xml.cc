#include "doctor/server_xml.h"

#include <algorithm>
#include <array>
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

struct SendOption {
  std::string_view name;
  std::uint32_t value;
};

// Channel.getSendOptionValue().
constexpr std::array<SendOption, 10> kSendOptions = {SendOption{"asynchronous", 8},
                                                     {"async", 8},
                                                     {"byte_message", 1},
                                                     {"byte", 1},
                                                     {"multicast", 64},
                                                     {"secure", 16},
                                                     {"synchronized_ack", 4},
                                                     {"sync", 4},
                                                     {"udp", 32},
                                                     {"use_ack", 2}};

std::optional<std::uint32_t> named_option(std::string_view name) {
  const auto found = std::ranges::find(kSendOptions, name, &SendOption::name);
  return found == kSendOptions.end() ? std::nullopt : std::optional(found->value);
}

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanksOfXml), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanksOfXml) + 1);
}

// nullopt: a property, or what no Tomcat takes. Blanks may stand around a comma alone, as there.
std::optional<std::uint32_t> send_options_of(std::string_view text) {
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && stop == end) return value;
  if (without_blanks(text) != text) return std::nullopt;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto option = named_option(without_blanks(text.substr(0, comma)));
    if (!option) return std::nullopt;
    value |= *option;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return value;
}

void read_cluster(const Tag& tag, ServerXml& out) {
  out.cluster = true;
  out.send_options_text = attribute(tag, "channelSendOptions");
  if (!out.send_options_text.empty()) out.send_options = send_options_of(out.send_options_text);
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
