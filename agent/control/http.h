// As much of HTTP/1.1 (RFC 9112) as a page on loopback takes: the head of a request without a body,
// and a response after which the connection ends.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tribecast::control {

inline constexpr std::size_t kMaxHttpHead = 8192;

struct HttpRequest {
  std::string method;
  std::string target;  // `/path?query`
  std::string host;    // of the Host field; empty without one
};

// Where the head ends, behind its blank line; nullopt while it is not whole.
std::optional<std::size_t> http_head_size(std::string_view received);
// The error is the status code to answer with.
Result<HttpRequest, int> parse_http_head(std::string_view head);

// A browser names this host by an address or name of loopback. Another name may lead here too (DNS
// rebinding): its page would read ours.
bool is_loopback_host(std::string_view host);

// With the fields that forbid a page to load, frame or tell anything elsewhere.
std::string http_response(int code, std::string_view type, std::string_view body, bool head_only);

}  // namespace tribecast::control
