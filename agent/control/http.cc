#include "control/http.h"

#include <algorithm>
#include <array>

#include "base/address.h"

namespace tribecast::control {
namespace {

struct Phrase {
  int code;
  std::string_view text;
};
constexpr std::array kPhrases = {Phrase{200, "OK"},
                                 Phrase{400, "Bad Request"},
                                 Phrase{403, "Forbidden"},
                                 Phrase{404, "Not Found"},
                                 Phrase{405, "Method Not Allowed"},
                                 Phrase{431, "Request Header Fields Too Large"},
                                 Phrase{503, "Service Unavailable"}};

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find("\r\n"), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 2, rest.size()));
  return line;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::optional<std::size_t> http_head_size(std::string_view received) {
  const std::size_t end = received.find("\r\n\r\n");
  return end == received.npos ? std::nullopt : std::optional(end + 4);
}

Result<HttpRequest, int> parse_http_head(std::string_view head) {
  const std::string_view first = take_line(head);
  const std::size_t blank = first.find(' ');
  const std::size_t last = first.rfind(' ');
  if (blank == first.npos || last == blank) return Unexpected<int>{400};
  HttpRequest out;
  out.method = first.substr(0, blank);
  out.target = first.substr(blank + 1, last - blank - 1);
  const std::string_view version = first.substr(last + 1);
  const bool good = is_visible(out.method) && is_visible(out.target) &&
                    out.target.starts_with('/') && version.starts_with("HTTP/1.");
  if (!good) return Unexpected<int>{400};
  bool named = false;
  while (!head.empty()) {
    const std::string_view field = take_line(head);
    const std::size_t colon = field.find(':');
    if (field.empty()) break;
    if (colon == field.npos) return Unexpected<int>{400};
    if (lower(field.substr(0, colon)) != "host") continue;
    if (named) return Unexpected<int>{400};  // RFC 9112 3.2
    named = true;
    out.host = lower(trimmed(field.substr(colon + 1)));
  }
  return out;
}

bool is_loopback_host(std::string_view host) {
  const std::size_t port = host.rfind(':');
  const bool bracketed = host.ends_with(']');
  if (port != host.npos && !bracketed) host = host.substr(0, port);
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  return address && address->is_loopback();
}

std::string http_response(int code, std::string_view type, std::string_view body, bool head_only) {
  const auto* phrase = std::ranges::find(kPhrases, code, &Phrase::code);
  const std::string_view text = phrase == kPhrases.end() ? "Error" : phrase->text;
  std::string out = "HTTP/1.1 " + std::to_string(code) + " " + std::string(text) +
                    "\r\nContent-Type: " + std::string(type) +
                    "; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\nConnection: close\r\nCache-Control: no-store\r\n"
                    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src "
                    "'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'\r\n"
                    "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
                    "Cross-Origin-Resource-Policy: same-origin\r\n\r\n";
  if (!head_only) out += body;
  return out;
}

}  // namespace tribecast::control
