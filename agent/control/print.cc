#include "control/print.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/utf8.h"

namespace tribecast::control {
namespace {

constexpr std::size_t kMostNames = 24;
constexpr std::size_t kMostReasons = 5;

struct StateEntry {
  char sign;
  Tone tone;
  std::string_view advice;  // shown below the table for a peer in this state; empty = none
};

// In the order of PeerState.
constexpr std::array<StateEntry, kPeerStates.size()> kStateEntries = {{
    {'*', Tone::good, ""},
    {'~', Tone::warn, "datagrams get lost on the way"},
    {'>', Tone::warn, "it hears us, we do not hear it: is our UDP port open towards it?"},
    {'<', Tone::warn, "we hear it, it does not hear us: is its UDP port open towards this host?"},
    {'?', Tone::bad, "nothing is heard: is its agent running, and the UDP port open both ways?"},
    {'!', Tone::bad,
     "its key does not fit: another keyring, public-key or auth; tribecast events tells"},
    {'.', Tone::faint, "its agent was stopped"},
    {'-', Tone::faint, ""},
    {'=', Tone::faint, ""},
}};

const StateEntry& entry_of(PeerState state) {
  return kStateEntries[static_cast<std::size_t>(state)];
}

Tone tone_of(Level level) {
  if (level == Level::critical) return Tone::bad;
  return level == Level::degraded ? Tone::warn : Tone::good;
}

Tone tone_of(MemberState state) {
  if (state == MemberState::lost) return Tone::bad;
  if (state == MemberState::late) return Tone::warn;
  return state == MemberState::left ? Tone::faint : Tone::plain;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

// One labelled line; what is beyond the last column is cut.
std::string labelled(const std::string& label, const std::string& text) {
  static constexpr std::size_t kLabel = 12;
  const std::string safe = printable(text);
  std::string out = label + std::string(kLabel - label.size(), ' ');
  if (count_characters(safe) <= kColumns - kLabel) return out + safe + "\n";
  std::size_t end = kColumns - kLabel - 3;
  while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xc0U) == 0x80U) --end;
  return out + safe.substr(0, end) + "...\n";
}

std::string dropped_text(const ReasonCounters& counters) {
  std::string out;
  for (const ReasonEntry& entry : kReasons) {
    if (counters[entry.reason] == 0) continue;
    out += (out.empty() ? "" : ", ") + count_text(counters[entry.reason]) + " " +
           std::string(entry.name);
  }
  return out.empty() ? "nothing since start" : out + "   (since start)";
}

// `3 up, 1 silent`, in the order of the states.
std::string states_text(const Status& status) {
  std::map<PeerState, std::size_t> counts;
  for (const Peer& peer : status.peers) ++counts[peer.state];
  std::string out;
  for (const auto& [state, count] : counts) {
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(name_of(state));
  }
  return out.empty() ? "none configured" : out;
}

std::string paths_text(const Status& status) {
  std::vector<double> rtts;
  double worst_loss = 0;
  bool loss_known = false;
  for (const Peer& peer : status.peers) {
    if (peer.rtt_seconds) rtts.push_back(*peer.rtt_seconds);
    if (!peer.loss_ratio) continue;
    worst_loss = std::max(worst_loss, *peer.loss_ratio);
    loss_known = true;
  }
  std::string out;
  if (!rtts.empty()) {
    const auto [low, high] = std::ranges::minmax(rtts);
    out += "   rtt " + time_text(low) + (low < high ? " to " + time_text(high) : "");
  }
  if (loss_known) out += "   loss up to " + percent_text(worst_loss);
  return out;
}

// The answer: `DEGRADED  2 of 3 peers up   members 3 local, 6 remote`.
std::string first_line(const Status& status, const Style& style) {
  const Summary s = summarize(status);
  const Level level = status.verdict.level;
  std::string out = toned(upper(name_of(level)), tone_of(level), style) + "  ";
  if (s.peers == 0) {
    out += status.peers.empty() ? "no peer is configured yet" : "no peer but this node itself";
  } else {
    out += std::to_string(s.peers_up) + " of " + counted(s.peers, "peer") + " up";
  }
  return out + "   members " + std::to_string(s.members_local) + " local, " +
         std::to_string(s.members_remote) + " remote\n";
}

std::string reasons_text(const Status& status, const Style& style) {
  std::string out;
  std::size_t shown = 0;
  for (const VerdictReason& reason : status.verdict.reasons) {
    if (reason.id == "no_peers") continue;
    if (shown++ == kMostReasons) {
      return out + "  and " + std::to_string(status.verdict.reasons.size() - kMostReasons) +
             " more: tribecast peers\n";
    }
    out += "  " + toned("-", Tone::warn, style) + " " + continued(reason.text, 4, 4);
  }
  return out;
}

std::string latency_text(const Latency& latency) {
  if (!latency.p50) return "unknown: nothing was relayed in the last 60 s";
  return "p50 " + time_text(latency.p50) + "   p99 " + time_text(latency.p99) + "   max " +
         time_text(latency.max) + "   (capture to injection, last 60 s)";
}

std::string group_line(const Group& group) {
  std::string interfaces;
  for (const std::string& name : group.interfaces) interfaces += " " + name;
  return group.name + "  " + group.address +
         (interfaces.empty() ? ", no interface" : " on" + interfaces);
}

std::string groups_lines(const Status& status) {
  if (status.groups.empty()) return labelled("Groups", "none configured");
  std::string out;
  for (const Group& group : status.groups) {
    out += labelled(out.empty() ? "Groups" : "", group_line(group));
  }
  return out;
}

std::string discovery_lines(const Status& status) {
  std::string out;
  for (const Discovery& d : status.discoveries) {
    std::string line = d.name + "  " + std::to_string(d.peers) + " peers by " + d.kind;
    line += d.last_answer_seconds ? ", " + age_text(d.last_answer_seconds) + " ago"
                                  : std::string(", not asked with success yet");
    if (d.missing > 0) line += ", " + std::to_string(d.missing) + " of them no longer found";
    out += labelled(out.empty() ? "Discovery" : "", line);
  }
  return out;
}

Cell number(std::uint64_t n) { return count_text(n); }

std::string advice_text(const Status& status) {
  std::string out;
  for (const Peer& peer : status.peers) {
    const StateEntry& entry = entry_of(peer.state);
    if (entry.advice.empty()) continue;
    out += continued(peer.name + ": " + std::string(entry.advice), 0, 4);
  }
  return out.empty() ? out : "\n" + out;
}

std::string rate_pair(const char* word, double per_second) {
  return std::string(word) + " " + rate_text(per_second) + "/s";
}

}  // namespace

std::string status_text(const Status& status, const Style& style) {
  const Summary s = summarize(status);
  const Rates& rates = status.rates;
  std::string node = status.node.name;
  if (!status.node.site.empty()) node += ", site " + status.node.site;
  node += ", tribecast " + status.node.version + ", up " + age_text(status.node.uptime_seconds);
  if (status.node.death_watch == "held_connections") node += ", held connections";
  return first_line(status, style) + reasons_text(status, style) + "\n" +
         labelled("Peers", states_text(status) + paths_text(status)) +
         labelled("Members", std::to_string(s.members_local) + " local, " +
                                 std::to_string(s.members_remote) + " remote") +
         labelled("Heartbeats", rate_pair("captured", rates.captured_per_second) + "   " +
                                    rate_pair("relayed", rates.relayed_per_second) + "   " +
                                    rate_pair("injected", rates.injected_per_second)) +
         labelled("Latency", latency_text(status.latency)) +
         labelled("Dropped", dropped_text(status.drops)) + groups_lines(status) +
         discovery_lines(status) + labelled("Node", node);
}

std::string peers_text(const Status& status, const Style& style) {
  if (status.peers.empty()) return "no peer is configured yet\n";
  Table table({{"S", false, 1},
               {"PEER", false, kMostNames},
               {"ENDPOINT", false, kMostNames},
               {"STATE"},
               {"RTT", true},
               {"LOSS", true},
               {"OFFSET", true},
               {"HEARD", true}});
  for (const Peer& p : status.peers) {
    const StateEntry& entry = entry_of(p.state);
    table.add({{std::string(1, entry.sign), entry.tone},
               p.name,
               p.endpoint.value_or("-"),
               {std::string(name_of(p.state)) + (p.agentless ? ", no agent" : ""), entry.tone},
               time_text(p.rtt_seconds),
               percent_text(p.loss_ratio),
               offset_text(p.clock_offset_seconds),
               age_text(p.last_heard_seconds)});
  }
  return table.text(style) + advice_text(status);
}

std::string members_text(const Status& status, const Style& style) {
  if (status.members.empty()) return "no member was heard yet\n";
  Table table({{"MEMBER", false, 22},
               {"GROUP", false, 12},
               {"ORIGIN"},
               {"VIA", false, 12},
               {"STATE"},
               {"ALIVE", true},
               {"HEARD", true},
               {"INTERVAL", true},
               {"GAPS", true}});
  for (const Member& m : status.members) {
    table.add({m.host + ":" + std::to_string(m.port),
               m.group,
               std::string(name_of(m.origin)),
               m.via,
               {std::string(name_of(m.state)), tone_of(m.state)},
               age_text(m.alive_seconds),
               age_text(m.last_heartbeat_seconds),
               time_text(m.interval_seconds),
               number(m.gaps)});
  }
  return table.text(style);
}

std::string groups_text(const Status& status, const Style& style) {
  if (status.groups.empty()) return "no group is configured yet\n";
  Table table({{"GROUP", false, 12},
               {"ADDRESS", false, 21},
               {"INTERFACES", false, 12},
               {"CAPTURED", true},
               {"RELAYED", true},
               {"RECEIVED", true},
               {"INJECTED", true},
               {"DROPPED", true}});
  for (const Group& g : status.groups) {
    std::string interfaces;
    for (const std::string& name : g.interfaces)
      interfaces += (interfaces.empty() ? "" : ",") + name;
    table.add({g.name, g.address, interfaces.empty() ? Cell("none", Tone::warn) : Cell(interfaces),
               number(g.captured), number(g.relayed), number(g.received), number(g.injected),
               number(g.dropped.total())});
  }
  return table.text(style);
}

std::string ping_text(const Ping& ping, std::size_t sequence) {
  const std::string where = ping.endpoint ? " (" + printable(*ping.endpoint) + ")" : "";
  const std::string answer =
      ping.rtt_seconds ? time_text(ping.rtt_seconds) : std::string("no answer");
  return printable(ping.peer) + where + "  seq " + std::to_string(sequence) + "  " + answer + "\n";
}

std::string ping_summary_text(const PingRun& run) {
  std::vector<double> rtts;
  for (const Ping& ping : run.probes) {
    if (ping.rtt_seconds) rtts.push_back(*ping.rtt_seconds);
  }
  const auto sent = static_cast<double>(run.probes.size());
  const double lost = run.probes.empty() ? 0 : 1 - static_cast<double>(rtts.size()) / sent;
  std::string out = std::to_string(run.probes.size()) + " sent, " + std::to_string(rtts.size()) +
                    " received, loss " + percent_text(lost);
  if (rtts.empty()) return out + "\n";
  double sum = 0;
  for (const double rtt : rtts) sum += rtt;
  const auto [low, high] = std::ranges::minmax(rtts);
  return out + ", rtt min/avg/max " + time_text(low) + " / " +
         time_text(sum / static_cast<double>(rtts.size())) + " / " + time_text(high) + "\n";
}

namespace {

struct WatchColumn {
  std::string_view title;
  std::size_t width;
};
constexpr std::array kWatchColumns = {WatchColumn{"TIME", 8},    WatchColumn{"PEERS", 9},
                                      WatchColumn{"MEMBERS", 7}, WatchColumn{"CAPT/s", 8},
                                      WatchColumn{"RELAY/s", 8}, WatchColumn{"INJECT/s", 8},
                                      WatchColumn{"DROP/s", 7},  WatchColumn{"P99", 8}};
constexpr std::size_t kWatchNote = 26;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text + " ";
}

}  // namespace

std::string watch_header_text(const Style& style) {
  std::string out;
  for (const WatchColumn& column : kWatchColumns) {
    out += padded(std::string(column.title), column.width);
  }
  return toned(out + " NOTE", Tone::faint, style) + "\n";
}

std::string watch_text(const Sample& sample, const std::string& clock, const Style& style) {
  const Summary& s = sample.summary;
  const std::array<std::string, kWatchColumns.size()> cells = {
      clock,
      std::to_string(s.peers_up) + "/" + std::to_string(s.peers),
      std::to_string(s.members_local + s.members_remote),
      rate_text(sample.rates.captured_per_second),
      rate_text(sample.rates.relayed_per_second),
      rate_text(sample.rates.injected_per_second),
      rate_text(sample.drops_per_second),
      time_text(sample.p99_seconds)};
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) out += padded(cells[i], kWatchColumns[i].width);
  std::string note = printable(sample.worst);
  if (count_characters(note) > kWatchNote) note = printable(note.substr(0, kWatchNote - 3)) + "...";
  const Tone tone = sample.level == Level::ok ? Tone::plain : tone_of(sample.level);
  return out + " " + toned(note, tone, style) + "\n";
}

}  // namespace tribecast::control
