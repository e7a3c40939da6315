// Peers from elsewhere: asks the sources of all [discovery] sections, and says what they are
// believed to have. A source that fails changes nothing. What was believed last is kept on disk and
// used at the next start until the first answer comes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "config/config.h"
#include "config/roster.h"
#include "control/status.h"
#include "daemon/found_store.h"
#include "daemon/log.h"
#include "daemon/peer_source.h"
#include "io/loop.h"

namespace tribecast::daemon {

class Discovery {
 public:
  struct Handlers {
    std::function<void()> on_change;  // found() is another
    // For the log and the events.
    std::function<void(Severity severity, std::string_view id, const std::string& subject,
                       const std::string& text)>
        on_event;
  };

  // Opens the files of the list, which may need rights.
  Discovery(io::Loop& loop, Log& log, RandomSource random, Handlers handlers,
            const std::string& path);
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;
  ~Discovery();

  // Sections that are as before go on with what they have, and are asked anew; found() is true at
  // once, without a call of on_change. A source that comes back within a day, as by `config undo`,
  // begins with what it had when it left.
  void configure(const config::Config& config);

  // In the order of the sections.
  [[nodiscard]] std::vector<config::FoundSet> found() const;
  [[nodiscard]] std::vector<control::Warning> warnings(Instant now) const;
  [[nodiscard]] std::vector<control::Discovery> report(Instant now) const;

 private:
  struct Section;

  // A source that has left.
  struct Left {
    config::FoundRecord record;
    Instant at;
  };

  void add(const config::Discovery& discovery, std::unique_ptr<Section> before);
  void put_aside(const Section& section);
  std::optional<config::FoundPeers> had(const config::Discovery& discovery);
  void ask(Section& section);
  void on_answer(Section& section, const PeerSource::Answer& answer);
  void take(Section& section, config::FoundPeers peers);
  void on_failure(Section& section, const std::string& why);
  void arm(Section& section, Duration good_for);
  void keep();

  io::Loop& loop_;
  RandomSource random_;
  Handlers handlers_;
  FoundStore store_;
  std::vector<config::FoundRecord> remembered_;  // by the last process; not taken over yet
  bool recalled_ = false;
  std::vector<Left> left_;  // the latest last
  PeerSource::Families families_;
  std::vector<std::unique_ptr<Section>> sections_;
};

}  // namespace tribecast::daemon
