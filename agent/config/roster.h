// Who the peers are: those of the configuration and those that were found. Pure decisions: what a
// source is believed to have, and which of all peers are used.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "config/found.h"

namespace tribecast::config {

// What one source is believed to have. An answer that lacks more than the limit's share of the
// peers takes none away at once: what it adds is taken, what it lacks stays, until all that it
// lacks has been missing in kShrinkAnswers answers in a row and for kShrinkRounds times `every`.
class Believed {
 public:
  static constexpr std::size_t kShrinkAnswers = 3;
  static constexpr int kShrinkRounds = 2;

  struct Doubt {
    std::vector<std::string> missing;  // names, sorted
    Instant since;
    std::size_t answers = 0;

    bool operator==(const Doubt&) const = default;
  };
  struct Change {
    std::size_t added = 0;
    std::size_t removed = 0;
    std::size_t changed = 0;    // have other addresses or another site
    bool doubt_is_new = false;  // not believed, and it lacks others than the last answer

    [[nodiscard]] bool any() const { return added + removed + changed > 0; }
  };

  explicit Believed(FoundPeers peers = {}) : peers_(std::move(peers)) {}

  Change offer(Instant now, FoundPeers answer, const Discovery& limits);

  [[nodiscard]] const FoundPeers& peers() const { return peers_; }
  [[nodiscard]] const std::optional<Doubt>& doubt() const { return doubt_; }

 private:
  // True when the peers that are missing may go.
  bool believes(Instant now, std::vector<std::string> missing, const Discovery& limits,
                Change& change);

  FoundPeers peers_;
  std::optional<Doubt> doubt_;
};

struct FoundSet {
  std::string from;  // the section's name
  FoundPeers peers;
};

struct Origin {
  std::string from;
  std::string site;

  bool operator==(const Origin&) const = default;
};

// All peers that are used.
struct Roster {
  std::vector<Peer> peers;              // the configured ones first, as they are
  std::map<std::string, Origin> found;  // by name: those of `peers` that are not configured
  std::size_t configured_too = 0;       // found, but configured or found before
  std::size_t left_out = 0;             // for want of room: kMaxPeers

  bool operator==(const Roster&) const = default;
};

// The addresses of one as far as they are known.
using Resolve = std::function<std::vector<Endpoint>(const PeerAddress&)>;

// A found peer is left out when one before it has its name or one of its addresses: a configured
// one first of all, then sections and names in order. At port 45565 the address alone counts:
// whoever has it is configured with another port there. Peers beyond kMaxPeers are counted.
Roster merge(const std::vector<Peer>& configured, const std::vector<FoundSet>& sets,
             const Resolve& resolve);

}  // namespace tribecast::config
