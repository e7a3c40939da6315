// Who is a member, who is told that one has left, and who may announce what.
#include <algorithm>
#include <set>

#include "relay/core.h"

namespace tribecast::relay {
namespace {

constexpr std::size_t kMaxRefusals = 64;
// After a start, who died while the agent was away is told of to peers that come up in this time.
constexpr Duration kRestoredTime = seconds(60);

}  // namespace

// Lists it; says goodbye for those whose place it has taken.
std::optional<Reason> Core::see(Instant now, const Sighting& sighting, Actions& out) {
  next_sweep_ = std::min(next_sweep_, now + kSweepInterval);
  const bool local = sighting.origin == Origin::local;
  const Members::Seen seen = members_.see(now, sighting, out.events);
  for (const MemberRecord& old : seen.replaced) {
    if (local) {
      say_goodbye_for(now, old, out);
    } else {
      inject_goodbye(now, old, out);
    }
  }
  if (seen.joined) {
    const MemberRecord record = MemberRecord::named(sighting.group, sighting.member);
    const auto listener = record.listener();
    if (local && listener) out.watches.push_back(*listener);
    if (!local) inquests_.try_port(record, out);
  }
  if (local && (seen.joined || sighting.member.is_shutdown())) out.remember = true;
  return seen.refused;
}

// To all peers, and to its siblings on this host.
void Core::say_goodbye_for(Instant now, const MemberRecord& member, Actions& out) {
  const Buffer payload = member.shutdown();
  const Duration still_new = std::max(kNoticeTime, restored_until_ - now);
  links_.send_notice(now, member.subject(), member.group,
                     {stamp_of(now), member.destination, member.source, payload}, still_new, out);
  inject_goodbye(now, member, out);
}

void Core::inject_goodbye(Instant now, const MemberRecord& member, Actions& out) {
  const auto group = groups_.find(member.group);
  if (group == groups_.end() || group->second.listeners.empty()) return;
  inject(now, group->second,
         {{group->second.listeners, member.source, member.destination, member.shutdown()}, now},
         false, out);
}

void Core::on_listener_gone(Instant now, const Endpoint& listener, Actions& out) {
  for (const MemberRecord& member : members_.listener_gone(now, listener)) {
    out.events.push_back({EventKind::member_dead, member.identity.name(),
                          "nobody listens on its port any more: its process has died; told to all "
                          "in its name"});
    say_goodbye_for(now, member, out);
    out.remember = true;
  }
}

void Core::restore(Instant now, const std::vector<MemberRecord>& members, Actions& out) {
  restored_until_ = now + kRestoredTime;
  members_.restore(now, members);
  if (!members_.empty()) next_sweep_ = std::min(next_sweep_, now + kSweepInterval);
  for (const MemberRecord& member : members_.local()) {
    if (const auto listener = member.listener()) out.watches.push_back(*listener);
  }
}

// --- peers that are silent -----------------------------------------------------------------------

void Core::inquire(Instant now, Actions& out) {
  std::set<std::string> silent;
  for (const Links::Silence& silence : links_.silences(now)) {
    silent.insert(silence.peer);
    if (silence.lasts >= kSilentTime) tell_away(silence.peer, out);
    if (!inquests_.is_due(now, silence.peer, silence.lasts)) continue;
    std::vector<Inquests::Suspect> suspects;
    for (const MemberRecord& member : members_.of_peer(silence.peer)) {
      suspects.push_back({member, members_.reachable(member)});
    }
    if (suspects.empty()) continue;
    inquests_.hold(now, silence.peer, silence.endpoint, std::move(suspects), out);
  }
  inquests_.keep_only(silent);
  next_inquiry_ = links_.next_silence(now);
}

// Later than the inquest, which is held as soon as the peer's dead time allows: on a path that
// loses much that is often, and of a silence that nobody is shown nobody is told.
void Core::tell_away(const std::string& peer, Actions& out) {
  const std::size_t answering = inquests_.tell_answering(peer);
  if (answering == 0) return;
  out.events.push_back(
      {EventKind::peer_away, peer,
       "is silent, but " + std::to_string(answering) +
           " of its members answer: only its agent is away; without it Tomcat notices "
           "no death there by itself after 300 s"});
}

void Core::on_knock(Instant now, std::uint64_t token, KnockResult result, Actions& out) {
  const Inquests::Outcome outcome = inquests_.on_knock(now, token, result);
  if (outcome.tried) return members_.set_reachable(*outcome.tried, outcome.reachable);
  if (!links_.is_silent(now, outcome.peer)) return;  // heard again in the meantime
  next_inquiry_ = std::min(next_inquiry_, now);      // to be told
  for (const Inquests::Judged& judged : outcome.judged) {
    const bool process = judged.verdict == Verdict::process_gone;
    if (!process && judged.verdict != Verdict::host_gone) continue;
    if (!members_.condemn(now, judged.member)) continue;
    out.events.push_back(
        {EventKind::member_dead, judged.member.identity.name(),
         process ? "its agent is silent and its port refuses: its process is gone"
                 : "its agent is silent and nothing answers there: its host or network is gone"});
    inject_goodbye(now, judged.member, out);
  }
}

// --- who may announce what -----------------------------------------------------------------------

// A member that announces an address where it is not makes every node replicate to itself, which is
// worse than no relay: Debian's 127.0.1.1 host name does it. `source` is the datagram's, for a
// local member; for a remote one our own addresses are the foreign ones.
std::optional<Reason> Core::check_announced(const tribes::MemberView& member,
                                            const Address* source) const {
  const auto address = member.address();
  if (!address) return Reason::foreign_member;  // a host of such a length breaks Tomcat 7 and 8.5
  if (address->is_loopback() || address->is_unspecified() || address->is_multicast()) {
    return Reason::loopback_member;
  }
  const bool ours = std::ranges::find(local_addresses_, *address) != local_addresses_.end();
  const bool at_home = source != nullptr ? ours || *address == *source : !ours;
  return at_home ? std::nullopt : std::optional(Reason::foreign_member);
}

void Core::note_refusal(Instant now, const tribes::MemberView& member, const std::string& via,
                        Reason reason, Actions& out) {
  const std::string name = tribes::Identity::of(member).name();
  const auto same_one = [&](const Refusal& r) {
    return r.member == name && r.via == via && r.reason == reason;
  };
  const auto found = std::ranges::find_if(refusals_, same_one);
  if (found != refusals_.end()) {
    found->last = now;
    return;
  }
  std::erase_if(refusals_, [&](const Refusal& r) { return now - r.last > kRefusalShown; });
  if (refusals_.size() >= kMaxRefusals) return;
  refusals_.push_back({name, via, reason, now});
  out.events.push_back({EventKind::member_refused, name, std::string(name_of(reason))});
}

}  // namespace tribecast::relay
