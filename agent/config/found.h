// Peers that a [discovery] section found: what a source said, judged; and the text file of `file
// =`.
//
//   NAME ADDRESS... [site=SITE]        # as in [peer]: 10.0.0.11, web-1.internal, each with :PORT
//   ADDRESS                            # its own name
//
// An answer is taken as a whole or not at all: one mistake in it, and the peers stay as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/found.h"
#include "config/config.h"
#include "config/diagnostic.h"

namespace tribecast::config {

inline constexpr std::size_t kMaxFoundAddresses = 16;  // of one peer

struct FoundPeer {
  std::string name;  // good by to_name()
  std::string site;
  std::vector<PeerAddress> addresses;  // never empty

  bool operator==(const FoundPeer&) const = default;
};

// Sorted by name; no name and no address twice.
using FoundPeers = std::vector<FoundPeer>;

struct FoundOutcome {
  std::optional<FoundPeers> peers;  // set when nothing is wrong
  Diagnostics diagnostics;
};

// `file` names the source in messages. The same line twice counts once.
FoundOutcome to_found(const std::string& file, const std::vector<FoundLine>& lines);
FoundOutcome parse_found(const Source& source);

// The first finding on one line, and how many more there are.
std::string in_short(const Diagnostics& diagnostics);

}  // namespace tribecast::config
