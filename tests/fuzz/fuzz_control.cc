// Any line as a request, and as a reply: a request that parses is written back as it was; any reply
// can be read, written again to the same, and shown without commanding a terminal.
#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "control/bench.h"
#include "control/capture.h"
#include "control/engine_print.h"
#include "control/engine_request.h"
#include "control/events.h"
#include "control/json.h"
#include "control/print.h"
#include "control/request.h"

namespace {

using namespace tribecast;
using namespace tribecast::control;

void check_request(std::string_view line) {
  const auto bench = parse_bench_request(line);
  if (bench) TC_CHECK(bench->rate >= 1 && bench->rate <= kMostBenchRate && !bench->peer.empty());
  const auto request = parse_request(line);
  if (!request) {
    TC_CHECK(!request.error().empty());
    return;
  }
  std::string written = to_line(*request);
  TC_CHECK(written.ends_with('\n'));
  written.pop_back();
  const auto again = parse_request(written);
  TC_CHECK(again && *again == *request);
}

void check_shown(std::string text) {
  std::erase(text, '\n');
  TC_CHECK(first_unprintable(text) == text.npos);
}

// Else it is the empty status, as most texts are, and was checked before.
bool says_something(const Status& s) {
  return !s.peers.empty() || !s.groups.empty() || !s.members.empty() || !s.node.name.empty() ||
         !s.verdict.reasons.empty() || s.drops.total() != 0 || !s.warnings.empty();
}

void check_status(const Status& status) {
  const std::string written = to_json(status);
  TC_CHECK(to_json(from_json(written)) == written);
  const auto reply = read_status_reply(status_reply(status));
  TC_CHECK(reply && to_json(*reply) == written);
  for (const auto text : {status_text, peers_text, members_text, groups_text}) {
    check_shown(text(status, Style{}));
  }
  check_shown(watch_text(sample(status, &status, 1), "00:00:00", Style{}));
  TC_CHECK(judge(status).level <= Level::critical);
}

// The engine's, in the same way.
void check_engine(std::string_view line) {
  const auto request = parse_engine_request(line);
  if (request) {
    std::string written = to_line(*request);
    written.pop_back();
    const auto again = parse_engine_request(written);
    TC_CHECK(again && *again == *request);
  }
  if (const auto status = read_engine_status(line)) {
    check_shown(engine_status_text(*status, {}));
    check_shown(engine_members_text(*status, {}));
    const auto again = read_engine_status(engine_reply(*status));
    TC_CHECK(again && engine_status_json(*again, "") == engine_status_json(*status, ""));
    engine_metrics_text(&*status);
  }
  if (const auto list = read_session_list(line)) check_shown(session_list_text(*list, {}));
  if (const auto one = read_session_detail(line)) check_shown(session_detail_text(*one, {}));
  if (const auto report = read_verify_report(line)) check_shown(verify_text(*report, {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check_request(text);
  check_engine(text);
  const Status status = from_json(text);
  if (says_something(status)) check_status(status);
  if (const auto ping = read_ping_reply(text)) check_shown(ping_text(*ping, 1));
  if (const auto config = read_config_reply(text)) {
    const auto again = read_config_reply(config_reply(*config));
    TC_CHECK(again && again->file.size() >= config->file.size());
  }
  if (const auto list = read_events_reply(text)) {
    for (const Event& event : list->events) check_shown(event_text(event, Style{}));
    const auto again = read_events_reply(events_reply(*list));
    TC_CHECK(again && again->events.size() == list->events.size());
  }
  if (const auto list = read_capture_reply(text)) {
    for (const Seen& seen : list->seen) {
      check_shown(seen_text(seen, "", Style{}));
      TC_CHECK(pcapng_block(seen).size() % 4 == 0);
    }
    const auto again = read_capture_reply(capture_reply(*list));
    TC_CHECK(again && again->seen.size() == list->seen.size());
  }
  if (const auto bench = read_bench_reply(text)) check_shown(bench_text("x", *bench));
  if (const auto words = read_text_reply(text)) TC_CHECK(words->size() <= 4 * text.size());
  return 0;
}
