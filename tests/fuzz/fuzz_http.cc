// Any bytes as the head of a request: parsed or refused, and what is parsed is harmless.
#include <algorithm>

#include "base/check.h"
#include "control/http.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tribecast;
  const std::string text(data, data + size);
  const auto head = control::http_head_size(text);
  const auto request = control::parse_http_head(text.substr(0, head.value_or(size)));
  if (!request) {
    TC_CHECK(request.error() == 400);
    return 0;
  }
  TC_CHECK(request->target.starts_with('/'));
  TC_CHECK(std::ranges::none_of(request->method + request->target,
                                [](char c) { return c <= ' ' || c >= '\x7f'; }));
  TC_CHECK(request->host.size() <= size);
  static_cast<void>(control::is_loopback_host(request->host));
  return 0;
}
