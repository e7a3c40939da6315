// Requests over the control socket.
#define BOOST_TEST_MODULE control_request
#include <boost/test/unit_test.hpp>

#include "control/request.h"

using namespace tribecast::control;

BOOST_AUTO_TEST_CASE(requests_that_are_understood) {
  struct Row {
    const char* line;
    Request request;
  };
  for (const Row& row :
       {Row{"status", {Verb::status, ""}}, Row{"status\r", {Verb::status, ""}},
        Row{"ping web-2", {Verb::ping, "web-2"}}, Row{"ping a b", {Verb::ping, "a b"}},
        Row{"reload", {Verb::reload, ""}}, Row{"reload 60s", {Verb::reload, "60s"}},
        Row{"events", {Verb::events, ""}}, Row{"events 12", {Verb::events, "12"}},
        Row{"confirm", {Verb::confirm, ""}}, Row{"undo", {Verb::undo, ""}},
        Row{"config-show", {Verb::config_show, ""}}}) {
    const auto request = parse_request(row.line);
    BOOST_REQUIRE_MESSAGE(bool(request), row.line);
    BOOST_TEST((*request == row.request), row.line);
  }
}

BOOST_AUTO_TEST_CASE(requests_that_are_not) {
  struct Row {
    std::string line;
    const char* error;
  };
  for (const Row& row : {
           Row{"", "the request is empty"},
           Row{" status", "the request is empty"},
           Row{"stauts", "unknown request 'stauts', did you mean 'status'?"},
           Row{"STATUS", "unknown request 'STATUS'"},
           Row{"xyz", "unknown request 'xyz'"},
           Row{"status now", "'status' takes no argument"},
           Row{"confirm it", "'confirm' takes no argument"},
           Row{"ping", "'ping' takes an argument"},
           Row{"ping ", "'ping' takes an argument"},
           Row{"ping \x1b[2J", "the request is no printable text"},
           Row{"ping a\nreload", "the request is no printable text"},
           Row{"ping " + std::string(4092, 'a'), "the request is longer than 4096 bytes"},
       }) {
    const auto request = parse_request(row.line);
    BOOST_REQUIRE_MESSAGE(!request, row.line);
    BOOST_TEST(request.error() == row.error);
  }
}

BOOST_AUTO_TEST_CASE(a_request_is_written_as_it_is_read) {
  for (const Request& request :
       {Request{Verb::status, ""}, Request{Verb::ping, "b"}, Request{Verb::reload, ""},
        Request{Verb::config_show, ""}, Request{Verb::reload, "60s"}, Request{Verb::confirm, ""},
        Request{Verb::undo, ""}}) {
    std::string line = to_line(request);
    BOOST_REQUIRE(line.ends_with('\n'));
    line.pop_back();
    BOOST_TEST((*parse_request(line) == request), line);
  }
}
