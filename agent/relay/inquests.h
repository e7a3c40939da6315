// What became of the members of a peer whose agent is silent. Silence proves nothing: the agent may
// have been stopped while Tomcat serves on. So the members' own ports are knocked at, and what that
// proves depends on what they answered while the agent was well:
//
//   answered before | now         | somebody on the host answers | verdict
//   any             | accepted    | -                            | alive, only the agent is away
//   yes             | refused     | -                            | its process is gone
//   yes             | no answer   | no                           | its host or network is gone
//   yes             | no answer   | yes                          | unknown: frozen or overloaded
//   no              | not accepted| -                            | unknown: a firewall, as before
//   any             | not tried   | -                            | unknown
//
// Tomcat does not verify a shutdown that it hears, so that only proof leads to one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "relay/actions.h"
#include "relay/members.h"

namespace tribecast::relay {

enum class Verdict : std::uint8_t { alive, process_gone, host_gone, unknown };

Verdict judge(bool answered_before, KnockResult now, bool host_answers);

class Inquests {
 public:
  // An inquest into a peer that stays silent is held again after half the silence, in these limits.
  static constexpr Duration kShortestPause = seconds(5);
  static constexpr Duration kLongestPause = seconds(60);
  // At most so many questions are open; what has no room is as if it had not been tried.
  static constexpr std::size_t kMaxKnocks = 8192;
  // Of them tries, so that an inquest never waits for them.
  static constexpr std::size_t kMaxTries = 128;

  // A member was heard through a peer that is well: does its port answer from here?
  void try_port(const MemberRecord& member, Actions& out);
  [[nodiscard]] std::size_t room_to_try() const { return kMaxTries - tries_; }

  struct Suspect {
    MemberRecord member;
    bool answered_before = false;
  };
  // `host`: an endpoint of the peer's host where nobody needs to listen; a refusal is an answer.
  [[nodiscard]] bool is_due(Instant now, const std::string& peer, Duration silent_for) const;
  void hold(Instant now, const std::string& peer, const Endpoint& host,
            std::vector<Suspect> suspects, Actions& out);

  struct Judged {
    MemberRecord member;
    Verdict verdict = Verdict::unknown;
  };
  struct Outcome {
    // of try_port()
    std::optional<MemberRecord> tried;
    bool reachable = false;
    // of hold(), when the last answer has come
    std::string peer;
    std::vector<Judged> judged;
  };
  Outcome on_knock(Instant now, std::uint64_t token, KnockResult result);

  // The others are heard again.
  void keep_only(const std::set<std::string>& silent_peers);
  // How many of its members answered at the last inquest.
  [[nodiscard]] std::size_t answering(const std::string& peer) const;
  // The same, once in a silence: 0 when it was told before.
  std::size_t tell_answering(const std::string& peer);

 private:
  struct Question {
    std::optional<MemberRecord> tried;  // else it belongs to the inquest of `peer`
    std::string peer;
    std::optional<std::size_t> suspect;  // nullopt: the host itself
  };
  struct Inquest {
    std::vector<Suspect> suspects;
    std::vector<KnockResult> results;
    std::size_t open = 0;
    bool host_answers = false;
    Instant held;
    std::size_t answering = 0;
    bool told = false;
  };

  void ask(Question question, const std::optional<Endpoint>& at, Actions& out);

  std::map<std::uint64_t, Question> questions_;
  std::map<std::string, Inquest> inquests_;
  std::size_t tries_ = 0;  // of the questions
  std::uint64_t next_token_ = 1;
};

}  // namespace tribecast::relay
