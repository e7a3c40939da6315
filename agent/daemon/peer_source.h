// The three ways to ask for peers: a name, a file, a program.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "config/found.h"
#include "io/loop.h"

namespace tribecast::daemon {

class PeerSource {
 public:
  struct Answer {
    Result<config::FoundPeers, std::string> peers;  // the error is one line
    Duration good_for;                              // when to ask again, at the latest
  };
  struct Handlers {
    std::function<void(const Answer&)> on_answer;  // once for each ask(), from the loop
    std::function<void()> on_news;                 // there may be another answer: ask
  };
  // Addresses of a family that nothing listens on are no use.
  struct Families {
    bool v4 = true;
    bool v6 = true;

    bool operator==(const Families&) const = default;
  };

  static std::unique_ptr<PeerSource> open(io::Loop& loop, const config::Discovery& discovery,
                                          Families families, Handlers handlers);
  PeerSource() = default;
  PeerSource(const PeerSource&) = delete;
  PeerSource& operator=(const PeerSource&) = delete;
  virtual ~PeerSource() = default;

  // Not before the last answer has come. `believed`: what was found before.
  virtual void ask(const config::FoundPeers& believed) = 0;
  // Says itself when there is news, so that it need not be asked again.
  [[nodiscard]] virtual bool tells_news() const { return false; }
};

}  // namespace tribecast::daemon
