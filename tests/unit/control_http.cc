// Requests of browsers, and of others.
#define BOOST_TEST_MODULE control_http
#include <boost/test/unit_test.hpp>

#include "control/http.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

// `GET /x host`, or the code.
std::string parsed(const std::string& head) {
  const auto request = parse_http_head(head);
  if (!request) return std::to_string(request.error());
  return request->method + " " + request->target + " " + request->host;
}

}  // namespace

BOOST_AUTO_TEST_CASE(heads) {
  struct Row {
    const char* head;
    const char* parsed;
  };
  for (const Row& row : {
           Row{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / a"},
           Row{"GET /x?y HTTP/1.0\r\n\r\n", "GET /x?y "},
           Row{"GET / HTTP/1.1\r\nX: y\r\nHOST:\t LocalHost:8 \r\n\r\n", "GET / localhost:8"},
           Row{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
           Row{"GET / HTTP/2\r\n\r\n", "400"},
           Row{"GET /\r\n\r\n", "400"},
           Row{"GET x HTTP/1.1\r\n\r\n", "400"},
           Row{"GET /a b HTTP/1.1\r\n\r\n", "400"},
           Row{"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"},
           Row{"\r\n\r\n", "400"},
           Row{"", "400"},
       }) {
    BOOST_TEST(parsed(row.head) == row.parsed, row.head);
  }
  BOOST_TEST(!http_head_size("GET / HTTP/1.1\r\n\r"));
  BOOST_TEST(*http_head_size("GET / HTTP/1.1\r\n\r\nmore") == 18U);
}

BOOST_AUTO_TEST_CASE(hosts) {
  for (const char* host : {"localhost", "localhost:80", "127.0.0.1", "127.0.0.1:8045", "127.9.9.9",
                           "[::1]", "[::1]:8045"}) {
    BOOST_TEST(is_loopback_host(host), host);
  }
  for (const char* host : {"", "evil.example", "evil.example:80", "localhost.evil.example",
                           "10.0.0.1", "0.0.0.0", "[::2]", "127.0.0.1.evil.example"}) {
    BOOST_TEST(!is_loopback_host(host), host);
  }
}

BOOST_AUTO_TEST_CASE(responses) {
  const std::string text = http_response(200, "text/html", "body", false);
  BOOST_TEST(
      text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
                       "Content-Length: 4\r\n"));
  BOOST_TEST(text.ends_with("\r\n\r\nbody"));
  BOOST_TEST(text.find("default-src 'none'") != text.npos);
  BOOST_TEST(http_response(404, "text/plain", "body", true).ends_with("\r\n\r\n"));
}
