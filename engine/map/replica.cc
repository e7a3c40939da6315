#include "engine/map/replica.h"

#include <algorithm>

namespace tribecast::map {
namespace {

constexpr std::size_t kMaxMaps = 10'000;
// What a message may add beside its parts.
constexpr std::size_t kEntryBytes = 512;

std::size_t bytes_in(const std::optional<Buffer>& part) { return part ? part->size() : 0; }

}  // namespace

Replica::Replica(const Member& self, const Settings& settings)
    : settings_(settings), self_(roster_.add(self)) {}

// Nullptr when there are too many.
Replica::Map* Replica::map_of(const std::string& name) {
  const auto at = maps_.find(name);
  if (at != maps_.end()) return &at->second;
  if (maps_.size() >= kMaxMaps) return nullptr;
  Map& map = maps_[name];
  map.name = name;
  return &map;
}

// Every Tomcat that starts anew is a new member; those that nothing speaks of any more make room.
// Called before a message is read, while no number is in hand, so that all that it names has room.
void Replica::forget_members() {
  if (roster_.size() + kMaxNodes + 2 <= Roster::kMaxMembers) return;
  std::vector<bool> used(Roster::kMaxMembers);
  const auto mark = [&](MemberId id) {
    if (id < used.size()) used[id] = true;
  };
  mark(self_);
  for (const auto& [name, map] : maps_) {
    for (const MemberId id : map.members) mark(id);
    for (const auto& [key, entry] : map.entries) {
      mark(entry.primary);
      for (const MemberId id : entry.nodes) mark(id);
    }
  }
  for (const auto& [number, call] : calls_) mark(call.to);
  for (const Task& task : tasks_) mark(task.to);
  roster_.keep(used);
}

bool Replica::has_room(const Message& message) const {
  const std::size_t grows =
      bytes_in(message.key) + bytes_in(message.value) + bytes_in(message.diff_value) + kEntryBytes;
  return elsewhere_bytes_ + memory_bytes_ + grows <= settings_.memory_limit_bytes;
}

void Replica::update_pressure() {
  const std::size_t percent = settings_.memory_limit_bytes / 100;
  const std::size_t alarm = (pressure_ == Pressure::fine ? 90 : 85) * percent;
  const std::size_t bytes = elsewhere_bytes_ + memory_bytes_;
  if (bytes + kEntryBytes >= settings_.memory_limit_bytes) {
    pressure_ = Pressure::full;
  } else {
    pressure_ = bytes >= alarm ? Pressure::alarm : Pressure::fine;
  }
}

Verdict Replica::on_message(const Parsed& parsed, const Member& sender, Clock clock, Actions& out) {
  const Message& message = parsed.message;
  forget_members();
  const MemberId from = roster_.add(sender);
  Map* map = from == kNobody ? nullptr : map_of(message.map);
  Verdict verdict = Verdict::refused;
  if (from == self_) return Verdict::done;
  if (map != nullptr) {
    roster_.learn(from, parsed.versions);
    verdict = apply(*map, message, from, clock, out);
  }
  update_pressure();
  if (verdict == Verdict::malformed) ++counters_.malformed;
  if (verdict == Verdict::refused) {
    ++counters_.refused;
    pressure_ = Pressure::full;
  }
  return verdict;
}

Verdict Replica::apply(Map& map, const Message& message, MemberId sender, Clock clock,
                       Actions& out) {
  switch (static_cast<Type>(message.type)) {
    case Type::stop:
      leave(map, sender, clock);
      return Verdict::done;
    case Type::start:
      start(map, sender, clock, out);
      return Verdict::done;
    case Type::remove:
      join(map, sender, clock, out);
      if (message.key) on_remove(map, text_of(*message.key), clock);
      return message.key ? Verdict::done : Verdict::malformed;
    case Type::backup:
    case Type::copy:
    case Type::proxy:
    case Type::access:
    case Type::notify_member:
      join(map, sender, clock, out);
      return on_entry(map, message, sender, clock, out);
    case Type::retrieve_backup:
    case Type::state:
    case Type::state_copy:
    case Type::init:
    case Type::ping:
      return Verdict::done;  // of use as a remote call alone
  }
  ++counters_.unknown_types;
  return Verdict::done;
}

Verdict Replica::on_entry(Map& map, const Message& message, MemberId sender, Clock clock,
                          Actions& out) {
  if (!message.key || message.key->empty()) return Verdict::malformed;
  const bool carries = message.is(Type::backup) || message.is(Type::copy);
  if (!has_room(message)) {
    // What is here of it is old from now on.
    const Found known = map.entries.find(text_of(*message.key));
    if (carries && known != map.entries.end()) want(map, known);
    return Verdict::refused;
  }
  // A backup comes from who acts as the primary; what an engine says speaks of another.
  MemberId primary = sender;
  if (!message.is(Type::backup) && message.primary) primary = roster_.add(*message.primary);
  if (primary == kNobody) return Verdict::refused;
  const bool is_newborn = message.is(Type::proxy) && !map.entries.contains(text_of(*message.key));
  const Found at = find_or_add(map, text_of(*message.key));
  const bool taken = !carries || take_value(map, at, message, clock);
  change(at, [&](Entry& entry) {
    place(entry, primary, message.nodes.value_or(std::vector<Member>{}), clock.now);
    entry.heard = clock.now;
    if (carries) return;
    ++counters_.notices;
    if (!message.is(Type::proxy)) entry.value.touch(clock.wall_ms);
  });
  mark(map, at->first);
  if (is_newborn) {
    postpone(map, at, clock.now);
  } else {
    ensure_backup(map, at, clock, out);
  }
  return taken ? Verdict::done : Verdict::malformed;
}

// False for a value or diff that is none; the value is then fetched.
bool Replica::take_value(Map& map, Found at, const Message& message, Clock clock) {
  bool taken = true;
  change(at, [&](Entry& entry) {
    entry.copied = message.is(Type::copy);
    if (message.diff) {
      ++counters_.diffs;
      taken = message.diff_value && entry.value.add(*message.diff_value, clock.wall_ms);
      if (!taken) entry.value.spoil();
    } else if (message.value) {
      ++counters_.values;
      taken = entry.value.set(*message.value);
      if (!taken) entry.value.spoil();
      entry.doubted = false;
      if (taken && entry.fetch != Fetch::none) {
        if (entry.fetch == Fetch::open) --map.open_fetches;
        entry.fetch = Fetch::none;
      }
    }
  });
  if (taken && message.value) exhume(map, at->first);
  return taken;
}

void Replica::on_remove(Map& map, const std::string& key, Clock clock) {
  ++counters_.removed;
  const Found at = map.entries.find(key);
  if (at != map.entries.end()) erase(map, at);
  bury(map, key, clock.now);
}

std::optional<Buffer> Replica::on_request(const Parsed& parsed, const Member& sender, Clock clock,
                                          Actions& out) {
  Message answer = parsed.message;
  const Buffer null(std::begin(kNullObject), std::end(kNullObject));
  forget_members();
  const MemberId from = roster_.add(sender);
  Map* map = from == kNobody ? nullptr : map_of(answer.map);
  if (map == nullptr) return null;
  roster_.learn(from, parsed.versions);
  switch (static_cast<Type>(answer.type)) {
    case Type::ping:
      answer.value = compose_state(State::initialized);
      answer.primary = roster_.member(self_);
      join(*map, from, clock, out);
      break;
    case Type::start:
      start(*map, from, clock, out);
      [[fallthrough]];
    case Type::init:
      answer.primary = roster_.member(self_);
      break;
    case Type::state:
    case Type::state_copy:
      answer.value = list_for(*map, answer.is(Type::state_copy), from);
      break;
    case Type::retrieve_backup:
      return value_for(*map, std::move(answer), from);
    default:
      return null;
  }
  return compose_object(answer, roster_.versions(from));
}

// A notice of the entry as others should know it.
Message Replica::entry_message(const Map& map, Type type, const std::string& key,
                               const Entry& entry) const {
  Message message{.type = static_cast<std::int32_t>(type), .map = map.name};
  message.key = copy_of(bytes_of(key));
  message.primary = roster_.member(entry.primary == kNobody ? self_ : entry.primary);
  message.nodes.emplace();
  for (const MemberId id : entry.nodes) message.nodes->push_back(roster_.member(id));
  return message;
}

Buffer Replica::list_for(const Map& map, bool values, MemberId asker) const {
  std::vector<Message> list;
  for (const auto& [key, entry] : map.entries) {
    // Of an entry that nobody here can give, the holders must be known.
    if (!entry.value.known() && holder_of(map, entry) == kNobody) continue;
    list.push_back(entry_message(map, values ? Type::copy : Type::proxy, key, entry));
    if (values && entry.value.known()) list.back().value = entry.value.bytes();
  }
  return compose_list(list, roster_.versions(asker));
}

// A Tomcat takes the first answer: while the value is being fetched, one who has it must be heard.
std::optional<Buffer> Replica::value_for(const Map& map, Message message, MemberId asker) const {
  const Buffer null(std::begin(kNullObject), std::end(kNullObject));
  const auto at = map.entries.find(text_of(message.key.value_or(Buffer{})));
  if (at == map.entries.end()) return null;
  const Entry& entry = at->second;
  const MemberId holder = holder_of(map, entry);
  const bool is_old = entry.value.known() && entry.fetch != Fetch::none;
  const bool other_has = is_old ? map.members.contains(holder) : holder != kNobody;
  if ((is_old || !entry.value.known()) && other_has && holder != asker) return std::nullopt;
  if (!entry.value.known()) return null;
  message.value = entry.value.bytes();
  return compose_object(message, roster_.versions(asker));
}

std::optional<Buffer> Replica::find(std::string_view map, Bytes key) const {
  const auto found = maps_.find(map);
  if (found == maps_.end()) return std::nullopt;
  const auto at = found->second.entries.find(view_of(key));
  if (at == found->second.entries.end() || !at->second.value.known()) return std::nullopt;
  return at->second.value.bytes();
}

std::vector<std::string> Replica::maps() const {
  std::vector<std::string> names;
  for (const auto& [name, map] : maps_) names.push_back(name);
  return names;
}

std::size_t Replica::unknown_count(std::string_view map) const {
  const auto found = maps_.find(map);
  if (found == maps_.end()) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(
      found->second.entries, [](const auto& e) { return !e.second.value.known(); }));
}

bool Replica::has_self(const Entry& entry) const {
  return std::ranges::find(entry.nodes, self_) != entry.nodes.end();
}

Replica::Found Replica::find_or_add(Map& map, const std::string& key) {
  const auto [at, is_new] = map.entries.try_emplace(key);
  if (is_new) {
    ++entry_count_;
    memory_bytes_ += cost_of(at->first, at->second);
  }
  return at;
}

Replica::Found Replica::erase(Map& map, Found at) {
  memory_bytes_ -= cost_of(at->first, at->second);
  --entry_count_;
  if (at->second.fetch == Fetch::open) --map.open_fetches;
  mark(map, at->first);
  return map.entries.erase(at);
}

void Replica::send(const Map& map, MemberId to, const Message& message, Actions& out) const {
  if (to == self_) return;
  out.push_back(
      {roster_.member(to).identity, map.name, 0, compose_message(message, roster_.versions(to))});
}

void Replica::call(const Map& map, MemberId to, const Message& message, std::string key,
                   Clock clock, Actions& out) {
  calls_.emplace(++last_call_, Call{map.name, std::move(key), to, clock.now});
  out.push_back({roster_.member(to).identity, map.name, last_call_,
                 compose_object(message, roster_.versions(to))});
}

void Replica::on_answer(std::uint64_t number, Bytes object, Clock clock, Actions& out) {
  const auto at = calls_.find(number);
  if (at == calls_.end()) return;
  const bool is_null = same(object, kNullObject);
  const auto parsed = is_null ? Result<Parsed, Malformed>(Parsed{}) : parse_object(object);
  if (!parsed) {
    ++counters_.malformed;
    return on_silence(number, clock, out);
  }
  const Call call = at->second;
  calls_.erase(at);
  roster_.learn(call.to, parsed->versions);
  Map& map = maps_.at(call.map);
  if (!call.key.empty()) {
    on_fetched(map, call, number, &parsed->message, clock);
  } else if (const auto list = parse_list(parsed->message.value.value_or(Buffer{}))) {
    if (number == comparing_) return end_compare(compared_with(map, *list, call.asked));
    on_state(map, call.to, *list, call.asked, clock, out);
  } else {
    ++counters_.malformed;
    if (number == comparing_) end_compare({.kind = Compared::Kind::no_answer});
  }
  start_fetches(map, clock, out);
  update_pressure();
}

void Replica::on_silence(std::uint64_t number, Clock clock, Actions& out) {
  const auto at = calls_.find(number);
  if (at == calls_.end()) return;
  const Call call = at->second;
  calls_.erase(at);
  if (number == comparing_) return end_compare({.kind = Compared::Kind::no_answer});
  Map& map = maps_.at(call.map);
  if (!call.key.empty()) {
    on_fetched(map, call, number, nullptr, clock);
  } else if (map.members.contains(call.to)) {
    map.check_at = std::min(map.check_at, clock.now + settings_.retry);
  }
  start_fetches(map, clock, out);
}

void Replica::on_not_served(std::uint64_t number, Clock clock, Actions& out) {
  const auto at = calls_.find(number);
  if (at == calls_.end()) return;
  if (number == comparing_) {
    calls_.erase(at);
    return end_compare({.kind = Compared::Kind::no_map});
  }
  leave(maps_.at(at->second.map), at->second.to, clock);
  on_silence(number, clock, out);
}

void Replica::on_not_sent(const tribes::Identity& member, Instant now) {
  const MemberId id = roster_.find(member);
  for (auto& [name, map] : maps_) {
    if (!map.members.contains(id)) continue;
    map.check_at = std::min(map.check_at, now + settings_.retry);
  }
}

}  // namespace tribecast::map
