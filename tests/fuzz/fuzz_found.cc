// Any bytes as what a source of peers says: the text of a file, the lines of a program, the list
// that is kept over a restart. What is accepted is bounded and sound, survives being written and
// read again, and makes a roster without a name or an address twice.
#include <set>

#include "base/check.h"
#include "base/utf8.h"
#include "config/found_list.h"
#include "config/roster.h"
#include "config/values.h"
#include "control/found_json.h"

using namespace tribecast;

namespace {

std::vector<Endpoint> literal(const config::PeerAddress& address) {
  const auto parsed = address.literal();
  if (!parsed) return {};
  return {{*parsed, address.port}};
}

void check(const config::FoundPeers& peers) {
  TC_CHECK(peers.size() <= kMaxFoundLines);
  std::set<std::string> addresses;
  const std::string* last = nullptr;
  for (const config::FoundPeer& peer : peers) {
    TC_CHECK(config::to_name(peer.name) && config::to_text_value(peer.site));
    TC_CHECK(last == nullptr || *last < peer.name);
    last = &peer.name;
    TC_CHECK(!peer.addresses.empty() && peer.addresses.size() <= config::kMaxFoundAddresses);
    for (const config::PeerAddress& address : peer.addresses) {
      TC_CHECK(addresses.insert(address.to_string()).second);
      TC_CHECK(config::to_peer_address(address.to_string()));
    }
  }
}

void check_again(const config::FoundPeers& peers) {
  const config::FoundList list{1, {{"n", config::SourceKind::exec, "/x y", peers}}};
  const auto again = config::parse_found_list(config::to_text(list));
  TC_CHECK(again && *again == list);
  const config::Roster roster = config::merge({}, {{"n", peers}}, literal);
  TC_CHECK(roster.peers.size() + roster.configured_too + roster.left_out == peers.size());
  std::set<Endpoint> endpoints;
  for (const config::Peer& peer : roster.peers) {
    for (const config::PeerAddress& address : peer.addresses) {
      for (const Endpoint& endpoint : literal(address)) TC_CHECK(endpoints.insert(endpoint).second);
    }
  }
}

// Two answers of one source, one after the other, until the second is believed.
void check_belief(const config::FoundPeers& first, const config::FoundPeers& second) {
  config::Discovery limits;
  limits.shrink_limit_percent = second.size() % 101;
  config::Believed believed(first);
  Instant now;
  for (int round = 0; round < 3; ++round) {
    static_cast<void>(believed.offer(now, second, limits));
    check(believed.peers());
    now += limits.every;
  }
  TC_CHECK(believed.peers() == second && !believed.doubt());
}

config::FoundOutcome read(char kind, const std::string& text) {
  if (kind != 'j') return config::parse_found({"f", text});
  const auto lines = control::read_found_json(text);
  if (lines) return config::to_found("f", *lines);
  TC_CHECK(first_unprintable(lines.error().what) == std::string::npos);
  return {std::nullopt, {config::finding("f", lines.error().what)}};
}

}  // namespace

// The first byte: `l` a list, `j` JSON, else a text file; a zero byte divides two answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const char kind = static_cast<char>(data[0]);
  const std::string text(data + 1, data + size);
  if (kind == 'l') {
    const auto list = config::parse_found_list(text);
    if (!list) return TC_CHECK(!list.error().empty()), 0;
    for (const config::FoundRecord& record : list->records) check(record.peers);
    const auto again = config::parse_found_list(config::to_text(*list));
    TC_CHECK(again && *again == *list);
    return 0;
  }
  const std::size_t end = std::min(text.find('\0'), text.size());
  const auto first = read(kind, text.substr(0, end));
  const auto second = read(kind, end == text.size() ? "" : text.substr(end + 1));
  for (const auto* outcome : {&first, &second}) {
    TC_CHECK(outcome->peers.has_value() == outcome->diagnostics.empty());
    if (outcome->peers) {
      check(*outcome->peers);
      check_again(*outcome->peers);
    } else {
      const std::string said = config::in_short(outcome->diagnostics);
      TC_CHECK(!said.empty() && first_unprintable(said) == std::string::npos);
    }
  }
  if (first.peers && second.peers) check_belief(*first.peers, *second.peers);
  return 0;
}
