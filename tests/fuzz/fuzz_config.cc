// Any text as configuration, a form feed between two files: what is accepted is in its ranges and
// survives being written and read again; what is not has at least one error with its place; nothing
// that is shown can command a terminal.
#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "config/config.h"

namespace {

using namespace tribecast;
using namespace tribecast::config;

std::vector<Source> split(std::string_view text) {
  const std::size_t cut = std::min(text.find('\f'), text.size());
  std::vector<Source> sources = {{"a.conf", std::string(text.substr(0, cut))}};
  if (cut < text.size()) sources.push_back({"b.conf", std::string(text.substr(cut + 1))});
  return sources;
}

void check_config(const Config& c) {
  TC_CHECK(!c.relay.listen.empty() && c.groups.size() <= kMaxGroups && c.peers.size() <= kMaxPeers);
  const std::size_t largest = c.relay.max_datagram_bytes.value_or(576);
  TC_CHECK(largest >= 576 && largest <= 65507);
  TC_CHECK(c.peers.empty() || !c.security.keyring.empty());
  for (const Group& group : c.groups) {
    TC_CHECK(!group.name.empty() && group.address.is_multicast() && group.max_age.count() > 0);
  }
  for (const Peer& peer : c.peers) TC_CHECK(!peer.name.empty() && !peer.addresses.empty());
  const Outcome again = parse({{"again.conf", to_text(c)}});
  TC_CHECK(again.config.has_value() && *again.config == c);
}

void check_findings(const Diagnostics& findings, std::size_t lines) {
  bool warnings = false;
  for (const Diagnostic& d : findings) {
    TC_CHECK(!d.what.empty() && !d.file.empty() && d.line <= lines);
    TC_CHECK(d.severity == Severity::warning || !warnings);
    warnings = d.severity == Severity::warning;
  }
  const std::size_t shown = std::min<std::size_t>(findings.size(), 4);  // the rest are as these
  std::string text =
      to_text(Diagnostics(findings.begin(), findings.begin() + static_cast<std::ptrdiff_t>(shown)));
  std::erase(text, '\n');
  TC_CHECK(first_unprintable(text) == text.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const Outcome outcome = parse(split(text));
  TC_CHECK(outcome.config.has_value() != has_errors(outcome.diagnostics));
  check_findings(outcome.diagnostics, 1 + static_cast<std::size_t>(std::ranges::count(text, '\n')));
  if (outcome.config) check_config(*outcome.config);
  return 0;
}
