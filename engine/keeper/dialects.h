// In which of the two families' form each member is written to: the one that its own messages are
// in. One that has said nothing, because it started deaf or because this engine did just now, is
// taken for one of the family that spoke last: what cannot read each other is seldom one cluster.
#pragma once

#include <map>
#include <optional>

#include "engine/session/value.h"
#include "tribes/owned_member.h"

namespace tribecast::keeper {

class Dialects {
 public:
  void on_came(const tribes::Identity& member) { members_.try_emplace(member); }
  void on_gone(const tribes::Identity& member) { members_.erase(member); }
  void on_heard(const tribes::Identity& from, session::Dialect dialect) {
    last_ = dialect;
    if (const auto at = members_.find(from); at != members_.end()) at->second = dialect;
  }

  // While nobody has been heard: the newer.
  [[nodiscard]] session::Dialect of(const tribes::Identity& member) const {
    const auto at = members_.find(member);
    if (at != members_.end() && at->second) return *at->second;
    return last_.value_or(session::Dialect::tomcat8);
  }
  [[nodiscard]] bool has_heard() const { return last_.has_value(); }

 private:
  std::map<tribes::Identity, std::optional<session::Dialect>> members_;
  std::optional<session::Dialect> last_;
};

}  // namespace tribecast::keeper
