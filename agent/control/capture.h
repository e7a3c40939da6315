// Datagrams of the groups as the agent sees them, for `tribecast capture`: one line each, or a file
// for other tools.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "control/human.h"
#include "control/reply.h"

namespace tribecast::control {

struct Seen {
  std::uint64_t sequence = 0;          // from 1, one more each
  std::uint64_t time_nanoseconds = 0;  // since 1970
  std::string group;
  std::string peer;          // who sent it; empty = captured on this host
  std::string source;        // `10.0.0.1:45564`
  std::string destination;   // `228.0.0.4:45564`
  std::uint64_t copies = 0;  // to so many peers, or injected on so many interfaces
  std::string dropped;       // the reason; empty = relayed or injected
  std::string kind;          // heartbeat, shutdown, broadcast, other, malformed
  std::string member;        // of a heartbeat or shutdown: `10.0.0.1:4000`
  std::optional<double> alive_seconds;
  std::string unique_id;  // in hex
  Buffer payload;

  bool operator==(const Seen&) const = default;
};

struct SeenList {
  std::uint64_t last = 0;  // sequence of the newest, also when it is not in the list
  std::vector<Seen> seen;
};

std::string capture_reply(const SeenList& list);
Result<SeenList, Failure> read_capture_reply(std::string_view line);

// One line, continued below where it is longer than kColumns; the source is told when it is another
// host than the member's. `clock` is the local time of day.
std::string seen_text(const Seen& seen, std::string_view clock, const Style& style);
std::string seen_json(const Seen& seen, std::string_view time, std::string_view generated_at);

// A pcapng file (draft-ietf-opsawg-pcapng) of raw IPv4 packets: its beginning, and one block for
// each datagram with the direction, and what was done with it as a comment. Nothing for a datagram
// whose ends are no IPv4 addresses.
std::string pcapng_header();
std::string pcapng_block(const Seen& seen);

}  // namespace tribecast::control
