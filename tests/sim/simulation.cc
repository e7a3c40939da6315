#include "simulation.h"

#include <algorithm>

namespace tribecast::sim {
namespace {

constexpr Duration kBeat = milliseconds(500);
constexpr Duration kDropTime = seconds(3);
constexpr Duration kMaxAge = seconds(1);
constexpr Duration kGhostTime = kDropTime + seconds(1);
constexpr std::size_t kMaxFaults = 20;
const Endpoint kGroup{Address::v4(0xe4000004), 45564};

seal::Keyring ring() {
  seal::Keyring ring;
  ring.keys.push_back({1, seal::Key(Buffer(32, 0x5a))});
  ring.primary_id = 1;
  return ring;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, std::size_t hosts, std::size_t members_per_host)
    : seed_(seed), random_(seed) {
  hosts_.resize(hosts);
  for (std::size_t h = 0; h < hosts; ++h) {
    Host& host = hosts_[h];
    host.address = Address::v4(0x0a000001U + static_cast<std::uint32_t>(h << 8U));
    host.clock_offset = microseconds(static_cast<std::int64_t>(random_() % 100000000000));
    by_address_[host.address] = h;
    for (std::size_t i = 0; i < members_per_host; ++i) {
      Tomcat tomcat;
      tomcat.name = "tomcat" + std::to_string(h) + "." + std::to_string(i);
      tomcat.host = host.address;
      tomcat.port = static_cast<std::uint32_t>(4000 + i);
      host.tomcats.push_back(tomcat);
    }
  }
  at(now_ + milliseconds(100), [this] { judge(); });
}

void Simulation::at(Instant when, std::function<void()> what) {
  events_.push({when, order_++, std::move(what)});
}

bool Simulation::chance(double probability) {
  return probability > 0 && std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

void Simulation::run_for(Duration time) {
  const Instant end = now_ + time;
  while (!events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    event.what();
  }
  now_ = end;
}

// --- agents --------------------------------------------------------------------------------------

void Simulation::start_agent(std::size_t h) {
  Host& host = hosts_[h];
  const std::uint64_t agent_seed = random_();
  auto engine = std::make_shared<std::mt19937_64>(agent_seed);
  host.core = std::make_unique<relay::Core>([engine](MutableBytes out) {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>((*engine)());
  });
  host.beats = 0;
  host.frozen = false;
  host.waiting.clear();
  relay::Settings settings;
  settings.node_name = "host" + std::to_string(h);
  settings.groups.push_back(
      {"tomcat", kGroup.address, kGroup.port, relay::Format::tribes, false, kMaxAge, kDropTime});
  for (std::size_t p = 0; p < hosts_.size(); ++p) {
    settings.peers.push_back({.name = "host" + std::to_string(p), .groups = {}, .copies = copies});
  }
  relay::Actions out;
  const Instant now = local_time(host);
  set_wall_clock(h, Duration::zero());
  host.core->set_local_addresses({host.address});
  host.core->configure(now, settings, ring(), out);
  for (std::size_t p = 0; p < hosts_.size(); ++p) {
    host.core->set_endpoints(now, "host" + std::to_string(p), {{hosts_[p].address, 45565}});
  }
  host.core->set_listeners("tomcat", {2});
  host.core->restore(now, host.remembered, out);
  const auto watched = std::exchange(host.watched, {});
  const auto watches = std::exchange(out.watches, {});
  act(h, out);
  for (const Endpoint& listener : watches) watch(h, listener, watched.contains(listener));
}

void Simulation::kill_agent(std::size_t h) {
  hosts_[h].core.reset();
  hosts_[h].waiting.clear();
  hosts_[h].timer = kNever;
}

void Simulation::freeze_agent(std::size_t h, bool frozen) {
  Host& host = hosts_[h];
  host.frozen = frozen;
  if (frozen) return;
  const auto waiting = std::move(host.waiting);
  host.waiting.clear();
  for (const auto& what : waiting) what();
}

void Simulation::set_wall_clock(std::size_t h, Duration offset) {
  Host& host = hosts_[h];
  host.core->set_wall_clock(seconds(1'700'000'000) + offset - host.clock_offset);
}

void Simulation::call_roll(std::size_t h, Duration time) {
  relay::Actions out;
  roll_call.clear();
  hosts_[h].core->call_roll(local_time(hosts_[h]), time, out);
  act(h, out);
}

Buffer Simulation::view_of(std::size_t h) { return Buffer(2000 + h, static_cast<std::uint8_t>(h)); }

// The ports of members are tried first, which takes its time.
void Simulation::make_view(std::size_t h) {
  if (std::exchange(hosts_[h].makes_view, true)) return;
  const relay::Core* asked = hosts_[h].core.get();
  at(now_ + milliseconds(300), [this, h, asked] {
    hosts_[h].makes_view = false;
    if (hosts_[h].core.get() != asked) return;
    when_awake(h, [this, h] { hosts_[h].core->set_view(local_time(hosts_[h]), view_of(h)); });
  });
}

void Simulation::when_awake(std::size_t h, std::function<void()> what) {
  Host& host = hosts_[h];
  if (!host.core) return;
  if (host.frozen) {
    host.waiting.push_back(std::move(what));
  } else {
    what();
  }
}

void Simulation::act(std::size_t h, const relay::Actions& actions) {
  for (const relay::Send& send : actions.sends) {
    for (const relay::Path& path : send.to) transmit(h, path, send.datagram);
  }
  for (const relay::Inject& injection : actions.injects) inject(h, injection);
  for (const Endpoint& listener : actions.watches) watch(h, listener, false);
  for (const relay::Knock& one : actions.knocks) knock(h, one);
  if (actions.view_wanted) make_view(h);
  if (actions.roll_call) roll_call = *actions.roll_call;
  for (const relay::Event& event : actions.events) ++events[event.kind];
  if (actions.remember) hosts_[h].remembered = hosts_[h].core->local_members();
  arm(h);
}

void Simulation::arm(std::size_t h) {
  Host& host = hosts_[h];
  const Instant deadline = host.core->next_deadline();
  if (deadline == kNever) return;
  const Instant when = deadline < Instant(host.clock_offset) ? now_ : deadline - host.clock_offset;
  if (when >= host.timer) return;
  host.timer = when;
  const relay::Core* armed_for = host.core.get();
  at(std::max(when, now_), [this, h, when, armed_for] {
    if (hosts_[h].core.get() != armed_for || hosts_[h].timer != when) return;
    hosts_[h].timer = kNever;
    when_awake(h, [this, h] {
      relay::Actions out;
      hosts_[h].core->on_timer(local_time(hosts_[h]), out);
      act(h, out);
    });
  });
}

// --- network -------------------------------------------------------------------------------------

void Simulation::transmit(std::size_t from, const relay::Path& path, const Buffer& datagram) {
  const auto found = by_address_.find(path.remote.address);
  if (found == by_address_.end()) return;
  const std::size_t to = found->second;
  ++datagrams;
  if (datagram.size() > 1232) fault("a sealed datagram of " + std::to_string(datagram.size()));
  const auto own = paths.find({from, to});
  const Weather& w = own == paths.end() ? weather : own->second;
  if (cut_.contains({from, to}) || chance(w.loss)) return;
  const int arrivals = chance(w.duplicate) ? 2 : 1;
  for (int i = 0; i < arrivals; ++i) {
    const auto extra = w.jitter.count() == 0
                           ? Duration::zero()
                           : Duration(static_cast<std::int64_t>(
                                 random_() % static_cast<std::uint64_t>(w.jitter.count())));
    const relay::Path back{{hosts_[from].address, 45565}, hosts_[to].address};
    at(now_ + w.delay + extra, [this, to, back, datagram] { deliver(to, back, datagram); });
  }
}

void Simulation::deliver(std::size_t h, const relay::Path& path, const Buffer& datagram) {
  if (recording_) hosts_[h].recorded.emplace_back(path, datagram);
  when_awake(h, [this, h, path, datagram] {
    relay::Actions out;
    hosts_[h].core->on_datagram(local_time(hosts_[h]), path, datagram, out);
    act(h, out);
  });
}

void Simulation::partition(const std::set<std::size_t>& one_side) {
  for (std::size_t a = 0; a < hosts_.size(); ++a) {
    for (std::size_t b = 0; b < hosts_.size(); ++b) {
      if (one_side.contains(a) != one_side.contains(b)) cut_.insert({a, b});
    }
  }
}

std::size_t Simulation::replay_recorded(std::size_t h) {
  const auto recorded = hosts_[h].recorded;
  for (const auto& [path, datagram] : recorded) deliver(h, path, datagram);
  return recorded.size();
}

// --- capture and injection -----------------------------------------------------------------------

void Simulation::capture(std::size_t h, Instant captured, const Buffer& frame) {
  when_awake(h, [this, h, captured, frame] {
    relay::Actions out;
    const Instant now = local_time(hosts_[h]);
    hosts_[h].core->on_frame(now, {captured, packet::LinkType::raw_ip, frame, false}, out);
    act(h, out);
  });
}

// Delivers to the local members, and to the capture handle twice: as it is, with TTL 0, and as an
// interface would that shows injections like the applications' own datagrams.
void Simulation::inject(std::size_t h, const relay::Inject& injection) {
  Host& host = hosts_[h];
  injections += injection.interfaces.size();
  const packet::Datagram datagram{injection.source, injection.group, injection.payload};
  for (const std::uint8_t ttl : {std::uint8_t{0}, std::uint8_t{1}}) {
    for (const Buffer& frame : packet::compose(datagram, {1500, ttl, 0})) {
      capture(h, local_time(host), frame);
    }
  }
  const auto member = tribes::parse_member(injection.payload);
  if (!member) return fault("something injected is no heartbeat");
  const Tomcat* owner = owner_of(tribes::Identity::of(*member));
  if (owner != nullptr && !member->is_shutdown()) {
    const Instant made =
        owner->started + milliseconds(static_cast<int>(member->alive_milliseconds));
    if (now_ - made > kMaxAge + milliseconds(60)) fault("a stale heartbeat was injected");
  }
  if (owner != nullptr && owner->running && member->is_shutdown()) {
    const std::size_t home = by_address_.at(owner->host);
    if (!cut_.contains({h, home}) && !cut_.contains({home, h})) {
      ++wrong_goodbyes;
      fault(owner->name + " lives and was told to have left");
    }
  }
  for (Tomcat& tomcat : host.tomcats) {
    if (tomcat.running) hear(tomcat, *member);
  }
}

// --- TCP -----------------------------------------------------------------------------------------

bool Simulation::listens(const Endpoint& at) const {
  const auto found = by_address_.find(at.address);
  if (found == by_address_.end()) return false;
  return std::ranges::any_of(hosts_[found->second].tomcats, [&](const Tomcat& tomcat) {
    return tomcat.running && tomcat.port == at.port;
  });
}

void Simulation::watch(std::size_t h, const Endpoint& listener, bool restored) {
  if (listens(listener)) {
    hosts_[h].watched.insert(listener);
  } else if (restored) {
    tell_gone(h, listener);
  }
}

void Simulation::tell_gone(std::size_t h, const Endpoint& listener) {
  when_awake(h, [this, h, listener] {
    relay::Actions out;
    hosts_[h].core->on_listener_gone(local_time(hosts_[h]), listener, out);
    act(h, out);
  });
}

void Simulation::knock(std::size_t h, const relay::Knock& knock) {
  const auto found = by_address_.find(knock.at.address);
  const bool cut = found == by_address_.end() || cut_.contains({h, found->second}) ||
                   cut_.contains({found->second, h});
  relay::KnockResult result = relay::KnockResult::no_answer;
  if (!cut) {
    const bool accepted = listens(knock.at) && !firewall_rejects;
    result = accepted ? relay::KnockResult::accepted : relay::KnockResult::refused;
  }
  const relay::Core* asked_by = hosts_[h].core.get();
  at(now_ + (cut ? milliseconds(300) : milliseconds(1)), [this, h, knock, result, asked_by] {
    if (hosts_[h].core.get() != asked_by) return;
    when_awake(h, [this, h, knock, result] {
      relay::Actions out;
      hosts_[h].core->on_knock(local_time(hosts_[h]), knock.token, result, out);
      act(h, out);
    });
  });
}

// --- Tomcat --------------------------------------------------------------------------------------

void Simulation::start_tomcat(std::size_t h, std::size_t index) {
  Tomcat& tomcat = hosts_[h].tomcats[index];
  tomcat.running = true;
  tomcat.started = now_;
  tomcat.view.clear();
  for (std::uint8_t& byte : tomcat.unique_id) byte = static_cast<std::uint8_t>(random_());
  const std::uint64_t life = ++tomcat.life;
  const Duration phase = microseconds(static_cast<std::int64_t>(random_() % 500000));
  at(now_ + phase, [this, h, index, life] { beat(h, index, life); });
}

void Simulation::kill_tomcat(std::size_t h, std::size_t index) {
  Tomcat& tomcat = hosts_[h].tomcats[index];
  tomcat.running = false;
  ++tomcat.life;
  const auto host = copy_of(tomcat.host.bytes());
  deaths_[{host, tomcat.port, tomcat.unique_id}] = now_;
  const Endpoint listener{tomcat.host, static_cast<std::uint16_t>(tomcat.port)};
  at(now_ + milliseconds(5), [this, h, listener] {
    if (!hosts_[h].core || hosts_[h].watched.erase(listener) == 0) return;
    tell_gone(h, listener);
  });
}

void Simulation::stop_tomcat(std::size_t h, std::size_t index) {
  send_heartbeat(h, hosts_[h].tomcats[index], true);
  kill_tomcat(h, index);
}

void Simulation::beat(std::size_t h, std::size_t index, std::uint64_t life) {
  Tomcat& tomcat = hosts_[h].tomcats[index];
  if (tomcat.life != life) return;
  send_heartbeat(h, tomcat, false);
  at(now_ + kBeat, [this, h, index, life] { beat(h, index, life); });
}

void Simulation::send_heartbeat(std::size_t h, Tomcat& tomcat, bool shutdown) {
  Host& host = hosts_[h];
  tribes::MemberView member;
  member.alive_milliseconds =
      static_cast<std::uint64_t>(duration_cast<milliseconds>(now_ - tomcat.started).count());
  member.port = tomcat.port;
  member.secure_port = member.udp_port = 0xffffffff;
  member.host = tomcat.host.bytes();
  member.unique_id = tomcat.unique_id;
  if (shutdown) member.command = tribes::shutdown_command();
  const Buffer payload = tribes::compose_member(member);
  const packet::Datagram datagram{{host.address, 45564}, kGroup, payload};
  const Buffer frame = packet::compose(datagram, {1500, 1, 0}).front();
  if (host.core) ++host.beats;
  capture(h, local_time(host), frame);
  for (Tomcat& sibling : host.tomcats) {
    if (&sibling != &tomcat && sibling.running) hear(sibling, member);
  }
}

void Simulation::hear(Tomcat& listener, const tribes::MemberView& member) {
  const auto identity = tribes::Identity::of(member);
  if (member.is_shutdown()) {
    listener.view.erase(identity);
  } else {
    listener.view[identity] = now_;
  }
}

// --- judgement -----------------------------------------------------------------------------------

const Tomcat* Simulation::owner_of(const tribes::Identity& identity) const {
  for (const Host& host : hosts_) {
    for (const Tomcat& tomcat : host.tomcats) {
      if (tomcat.unique_id == identity.unique_id) return &tomcat;
    }
  }
  return nullptr;
}

void Simulation::judge() {
  for (Host& host : hosts_) {
    for (Tomcat& tomcat : host.tomcats) {
      if (!tomcat.running) continue;
      std::erase_if(tomcat.view, [&](const auto& entry) {
        if (now_ - entry.second <= kDropTime) return false;
        const Tomcat* owner = owner_of(entry.first);
        if (judging && owner != nullptr && owner->running) {
          ++false_drops;
          fault(tomcat.name + " dropped " + owner->name + ", which lives");
        }
        return true;
      });
      for (const auto& [identity, heard] : tomcat.view) {
        const auto death = deaths_.find(identity);
        if (judging && death != deaths_.end() && now_ - death->second > kGhostTime) {
          fault(tomcat.name + " lists a ghost");
        }
      }
    }
  }
  at(now_ + milliseconds(100), [this] { judge(); });
}

void Simulation::fault(const std::string& text) {
  if (faults.size() >= kMaxFaults) return;
  const double when = to_seconds(now_ - Instant(seconds(1000)));
  faults.push_back("seed " + std::to_string(seed_) + ", " + std::to_string(when) + " s: " + text);
}

relay::Report Simulation::report(std::size_t h) const {
  return hosts_[h].core->report(local_time(hosts_[h]));
}

std::size_t Simulation::view_size(std::size_t h, std::size_t index) const {
  return hosts_[h].tomcats[index].view.size();
}

bool Simulation::complete() const {
  std::size_t running = 0;
  for (const Host& host : hosts_) {
    running += static_cast<std::size_t>(std::ranges::count(host.tomcats, true, &Tomcat::running));
  }
  return std::ranges::all_of(hosts_, [&](const Host& host) {
    return std::ranges::all_of(host.tomcats, [&](const Tomcat& tomcat) {
      return !tomcat.running || tomcat.view.size() == running - 1;
    });
  });
}

}  // namespace tribecast::sim
