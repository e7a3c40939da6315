#include "control/check.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "control/human.h"
#include "control/json_value.h"
#include "control/summary.h"

namespace tribecast::control {
namespace {

constexpr std::uint64_t kMostPeers = 1'000'000;
constexpr std::array<std::string_view, 4> kWords = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

std::string_view word_of(Exit exit) {
  return kWords[std::min<std::size_t>(static_cast<std::size_t>(exit), kWords.size() - 1)];
}

// `|` would begin the performance data.
std::string harmless(std::string_view text) {
  std::string out = printable(text);
  std::ranges::replace(out, '|', '/');
  return out;
}

std::string plain(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return end.ec == std::errc() ? std::string(text.data(), end.ptr) : "0";
}

// An alert below the value: `4:`.
std::string at_least(std::uint64_t peers, std::uint64_t limit) {
  return limit > peers ? "" : std::to_string(peers - limit + 1) + ":";
}

std::optional<double> largest(const Status& status, std::optional<double> Peer::*value) {
  std::optional<double> out;
  for (const Peer& peer : status.peers) {
    if (peer.*value) out = std::max(out.value_or(0), *(peer.*value));
  }
  return out;
}

std::vector<std::string> performance_of(const Status& status, const CheckLimits& limits) {
  const Summary s = summarize(status);
  const std::string peers = std::to_string(s.peers);
  std::vector<std::string> out;
  out.push_back("peers_up=" + std::to_string(s.peers_up) + ";" +
                at_least(s.peers, limits.warning.of(s.peers)) + ";" +
                at_least(s.peers, limits.critical.of(s.peers)) + ";0;" + peers);
  out.push_back("members_local=" + std::to_string(s.members_local) + ";;;0;");
  out.push_back("members_remote=" + std::to_string(s.members_remote) + ";;;0;");
  const auto loss = largest(status, &Peer::loss_ratio);
  if (loss) out.push_back("loss=" + plain(*loss * 100) + "%;;;0;100");
  const auto rtt = largest(status, &Peer::rtt_seconds);
  if (rtt) out.push_back("rtt_max=" + plain(*rtt) + "s;;;0;");
  if (status.latency.p99) out.push_back("latency_p99=" + plain(*status.latency.p99) + "s;;;0;");
  out.push_back("dropped=" + std::to_string(status.drops.total()) + "c;;;0;");
  return out;
}

std::string first_clause(const Status& status) {
  const Summary s = summarize(status);
  std::string out = s.peers == 0
                        ? std::string("no peer but this node")
                        : std::to_string(s.peers_up) + " of " + counted(s.peers, "peer") + " up";
  if (status.verdict.level == Level::idle) out = "idle, no peer is configured yet";
  out += ", " + counted(s.members_local + s.members_remote, "member");
  if (!status.verdict.reasons.empty() && status.verdict.level != Level::idle) {
    out += ": " + status.verdict.reasons.front().text;
  }
  return out;
}

}  // namespace

std::uint64_t PeerLimit::of(std::uint64_t peers) const {
  return percent ? (std::min(peers, kMostPeers) * number + 99) / 100 : number;
}

Result<PeerLimit, std::string> parse_peer_limit(std::string_view text) {
  PeerLimit limit;
  limit.percent = text.ends_with('%');
  const std::string_view digits = text.substr(0, text.size() - (limit.percent ? 1 : 0));
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), limit.number);
  const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  if (!whole || limit.number < 1 || limit.number > (limit.percent ? 100 : kMostPeers)) {
    return Unexpected<std::string>{"'" + printable(text) +
                                   "' is no number of peers (1 or more) and no 1%-100%"};
  }
  return limit;
}

Check check(const Status& status, const CheckLimits& limits) {
  std::uint64_t others = 0;
  std::uint64_t not_up = 0;
  std::uint64_t not_reached = 0;
  for (const Peer& peer : status.peers) {
    if (peer.state == PeerState::self) continue;
    ++others;
    if (peer.state == PeerState::up) continue;
    ++not_up;
    if (peer.state != PeerState::lossy) ++not_reached;
  }
  Check out;
  out.exit = Exit::good;
  if (!status.warnings.empty() && status.verdict.level != Level::idle) out.exit = Exit::degraded;
  if (not_up > 0 && not_up >= limits.warning.of(others)) out.exit = Exit::degraded;
  if (not_reached > 0 && not_reached >= limits.critical.of(others)) out.exit = Exit::critical;
  out.text = first_clause(status);
  for (const VerdictReason& reason : status.verdict.reasons) out.details.push_back(reason.text);
  out.performance = performance_of(status, limits);
  return out;
}

Check unknown_check(std::string_view why) {
  Check out;
  out.text = why.substr(0, why.find('\n'));
  return out;
}

std::string check_text(const Check& check) {
  std::string out = "TRIBECAST " + std::string(word_of(check.exit)) + " - " + harmless(check.text);
  if (!check.performance.empty()) out += " |";
  for (const std::string& value : check.performance) out += " " + value;
  out += "\n";
  for (const std::string& detail : check.details) out += harmless(detail) + "\n";
  return out;
}

std::string check_json(const Check& check, std::string_view generated_at) {
  json_value::Json json = json_value::document("check", generated_at);
  json["state"] = word_of(check.exit);
  json["code"] = static_cast<int>(check.exit);
  json["text"] = check.text;
  json["details"] = check.details;
  json["performance"] = check.performance;
  return json_value::page(json);
}

}  // namespace tribecast::control
