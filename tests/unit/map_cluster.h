// A cluster of fake Tomcats with one replicated map, and the engine's Replica among them. A fake
// keeps what the rules need of org.apache.catalina.tribes.tipis.LazyReplicatedMap: one backup in
// turn, proxies, take-over by who is asked, and what becomes of entries when a member is gone. Its
// messages arrive at once, as with option 6; those of the engine when run() delivers them. All of
// them go through their bytes.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "engine/java/parse.h"
#include "engine/map/replica.h"
#include "session_fixture.h"

namespace tribecast::test {

using map::Member;
using map::Message;
using map::Type;

inline const std::string kMap = "localhost#/app-map";

inline Member member(std::uint8_t number) {
  Member member;
  member.identity = {{10, 0, 0, number}, 4000, {number}};
  return member;
}

inline session::Record session_record(const std::string& id, const std::string& text) {
  session::Record record{.created_ms = kStart,
                         .last_accessed_ms = kStart,
                         .max_inactive_s = 1800,
                         .this_accessed_ms = kStart,
                         .id = id};
  record.attributes.emplace_back("a", text_value(text));
  return record;
}

inline const java::Shape& session_shape() {
  static const java::Shape kShape = {
      {.name = "org.apache.catalina.ha.session.DeltaSession",
       .uid = 0x041d33b9b82ea975,
       .flags = java::kExternalizable | java::kBlockData},
      {.name = "org.apache.catalina.session.StandardSession", .uid = 1}};
  return kShape;
}

inline Buffer session_value(const session::Record& record) {
  return session::compose_session(record, session_shape(), session::Dialect::tomcat8);
}

inline std::string text_in(Bytes stream) {
  const auto graph = java::parse(stream);
  return text_of(java::text_of_string(*graph, graph->roots()[0]).value_or(Bytes{}));
}

inline std::string attribute_in(Bytes value) {
  const auto object = session::parse_session(value, session::Dialect::tomcat8);
  if (!object) throw std::runtime_error("no session");
  for (const auto& [name, text] : object->record.attributes) {
    if (name == "a") return text_in(text);
  }
  return {};
}

class Cluster;

class FakeTomcat {
 public:
  FakeTomcat(Cluster& cluster, const Member& self) : cluster_(cluster), self_(self) {}

  void put(const std::string& id, const std::string& text);
  // By a request: the Tomcat makes itself the primary first.
  void change(const std::string& id, const std::string& text);
  std::string get(const std::string& id);
  void remove(const std::string& id);
  [[nodiscard]] bool knows(const std::string& id) const { return entries_.contains(id); }

  void receive(const Message& message);
  std::optional<Message> reply(Message message, const Member& from);
  void add_member(const Member& member);
  void member_gone(const Member& member);
  void start();
  void ping();

  [[nodiscard]] const Member& self() const { return self_; }
  [[nodiscard]] const tribes::Identity& identity() const { return self_.identity; }

 private:
  friend class Cluster;
  enum class Kind : std::uint8_t { primary, backup, proxy };
  struct Entry {
    Kind kind = Kind::proxy;
    std::string text;
    std::vector<Member> nodes;
    std::optional<Member> primary;
  };

  [[nodiscard]] Message message(Type type, const std::string& id) const;
  void publish(const std::string& id);
  void make_primary(const std::string& id);
  void send(const Member& to, const Message& message);
  [[nodiscard]] bool is_alone_in(const Member& member, const Entry& entry) const {
    return entry.nodes.size() == 1 && entry.nodes[0].identity == member.identity;
  }

  Cluster& cluster_;
  Member self_;
  std::map<tribes::Identity, Member> members_;
  std::map<std::string, Entry> entries_;
  std::size_t next_backup_ = 0;
  bool alive_ = true;
  bool cut_ = false;
};

class Cluster {
 public:
  explicit Cluster(std::size_t tomcats, bool with_engine = true, const map::Settings& settings = {})
      : settings_(settings) {
    if (with_engine) start_engine();
    for (std::size_t i = 0; i < tomcats; ++i) start_tomcat();
    heartbeat();
    run();
    forget_sent();
  }

  FakeTomcat& tomcat(std::size_t i) { return *tomcats_.at(i); }
  map::Replica& engine() { return *engine_; }
  void start_engine() { engine_.emplace(kEngine, settings_); }
  FakeTomcat& start_tomcat() {
    const auto number = static_cast<std::uint8_t>(tomcats_.size() + 1);
    tomcats_.push_back(std::make_unique<FakeTomcat>(*this, member(number)));
    tomcats_.back()->start();
    return *tomcats_.back();
  }

  void kill(std::size_t i) { kill(std::vector<std::size_t>{i}); }
  void kill(const std::vector<std::size_t>& at_once) {
    for (const std::size_t i : at_once) tomcat(i).alive_ = false;
    for (const std::size_t i : at_once) tell_gone(tomcat(i).self());
  }
  // It hears nobody and nobody hears it.
  void cut(std::size_t i, bool off) {
    tomcat(i).cut_ = off;
    if (!off) return;
    tell_gone(tomcat(i).self());
    for (const auto& other : tomcats_) tomcat(i).member_gone(other->self());
    tomcat(i).member_gone(kEngine);
  }
  void heartbeat() {
    for (const auto& tomcat : tomcats_) {
      if (is_up(*tomcat)) tomcat->ping();
    }
  }

  // Delivers what the engine sends, and lets some seconds pass.
  void run() {
    for (int i = 0; i < 8; ++i) pass(seconds(1));
  }
  void pass(Duration time) {
    deliver();
    now_ += time;
    if (!engine_) return;
    do {
      engine_->on_timer(clock(), actions_);
      deliver();
    } while (engine_->busy());
  }
  void hold_answers(bool hold) {
    hold_ = hold;
    for (const auto& [call, object] : held_) engine_->on_answer(call, object, clock(), actions_);
    held_.clear();
  }

  [[nodiscard]] session::Clock clock() const {
    return {now_, kStart + duration_cast<milliseconds>(now_.time_since_epoch()).count()};
  }
  // The value of each session that has a living primary.
  [[nodiscard]] std::map<std::string, std::string> truth() const {
    std::map<std::string, std::string> all;
    for (const auto& tomcat : tomcats_) {
      if (!is_up(*tomcat)) continue;
      for (const auto& [id, entry] : tomcat->entries_) {
        if (entry.kind == FakeTomcat::Kind::primary) all[id] = entry.text;
      }
    }
    return all;
  }
  [[nodiscard]] std::string in_engine(const std::string& id) const {
    const auto value = engine_->find(kMap, text_value(id));
    return value ? attribute_in(*value) : std::string();
  }
  [[nodiscard]] bool engine_is_backup(const std::string& id) const {
    for (const auto& tomcat : tomcats_) {
      const auto at = tomcat->entries_.find(id);
      if (!is_up(*tomcat) || at == tomcat->entries_.end()) continue;
      if (at->second.kind != FakeTomcat::Kind::primary) continue;
      for (const Member& node : at->second.nodes) {
        if (node.identity == kEngine.identity) return true;
      }
    }
    return false;
  }
  // What the engine sent and asked, in order.
  [[nodiscard]] const std::vector<std::pair<tribes::Identity, Message>>& sent_by_engine() const {
    return sent_;
  }
  void forget_sent() { sent_.clear(); }
  std::optional<Buffer> ask_engine(const std::string& id, std::size_t tomcat_number) {
    Message question{.type = static_cast<std::int32_t>(Type::retrieve_backup), .map = kMap};
    question.key = text_value(id);
    return engine_->on_request({question, {}}, tomcat(tomcat_number).self(), clock(), actions_);
  }

  // For the fakes. False when that member cannot be reached.
  bool send(const FakeTomcat& from, const Member& to, const Message& message) {
    if (!is_up(from)) return false;
    const auto parsed = map::parse_message(map::compose_message(message, {}));
    if (to.identity == kEngine.identity) {
      if (!engine_) return false;
      engine_->on_message(*parsed, from.self(), clock(), actions_);
      return true;
    }
    FakeTomcat* target = find(to.identity);
    if (target == nullptr) return false;
    target->receive(parsed->message);
    return true;
  }
  enum class Heard : std::uint8_t { unreachable, silence, null, answer };
  std::pair<Heard, Message> call(const FakeTomcat& from, const Member& to, const Message& message) {
    if (!is_up(from)) return {Heard::unreachable, {}};
    const auto parsed = map::parse_object(map::compose_object(message, {}));
    if (to.identity == kEngine.identity) {
      if (!engine_) return {Heard::unreachable, {}};
      const auto object = engine_->on_request(*parsed, from.self(), clock(), actions_);
      if (!object) return {Heard::silence, {}};
      if (same(*object, map::kNullObject)) return {Heard::null, {}};
      return {Heard::answer, map::parse_object(*object)->message};
    }
    FakeTomcat* target = find(to.identity);
    if (target == nullptr) return {Heard::unreachable, {}};
    const auto answer = target->reply(parsed->message, from.self());
    return answer ? std::pair(Heard::answer, *answer) : std::pair(Heard::null, Message{});
  }
  std::vector<Member> channel_members(const FakeTomcat& but) const {
    std::vector<Member> all;
    for (const auto& tomcat : tomcats_) {
      if (tomcat.get() != &but && is_up(*tomcat) && is_up(but)) all.push_back(tomcat->self());
    }
    if (engine_ && is_up(but)) all.push_back(kEngine);
    return all;
  }

 private:
  static inline const Member kEngine = member(99);

  static bool is_up(const FakeTomcat& tomcat) { return tomcat.alive_ && !tomcat.cut_; }
  FakeTomcat* find(const tribes::Identity& identity) const {
    for (const auto& tomcat : tomcats_) {
      if (tomcat->identity() == identity && is_up(*tomcat)) return tomcat.get();
    }
    return nullptr;
  }
  void tell_gone(const Member& gone) {
    for (const auto& tomcat : tomcats_) {
      if (is_up(*tomcat)) tomcat->member_gone(gone);
    }
    if (engine_) engine_->on_gone(gone.identity, clock(), actions_);
  }
  void deliver() {
    while (!actions_.empty()) {
      const map::Actions batch = std::exchange(actions_, {});
      for (const map::Action& action : batch) deliver(action);
    }
  }
  void deliver(const map::Action& action) {
    const auto parsed =
        action.call == 0 ? map::parse_message(action.bytes) : map::parse_object(action.bytes);
    sent_.emplace_back(action.to, parsed->message);
    FakeTomcat* target = find(action.to);
    if (action.call == 0) {
      if (target != nullptr) target->receive(parsed->message);
      return;
    }
    if (target == nullptr) return engine_->on_silence(action.call, clock(), actions_);
    const auto answer = target->reply(parsed->message, kEngine);
    const Buffer object = answer ? map::compose_object(*answer, {}) : Buffer{0x70};
    if (hold_) {
      held_.emplace_back(action.call, object);
    } else {
      engine_->on_answer(action.call, object, clock(), actions_);
    }
  }

  map::Settings settings_;
  Instant now_ = Instant{} + std::chrono::hours(1000);
  std::vector<std::unique_ptr<FakeTomcat>> tomcats_;
  std::optional<map::Replica> engine_;
  map::Actions actions_;
  std::vector<std::pair<tribes::Identity, Message>> sent_;
  std::vector<std::pair<std::uint64_t, Buffer>> held_;
  bool hold_ = false;
};

inline Message FakeTomcat::message(Type type, const std::string& id) const {
  Message message{.type = static_cast<std::int32_t>(type), .map = kMap};
  if (!id.empty()) message.key = text_value(id);
  return message;
}

inline void FakeTomcat::send(const Member& to, const Message& message) {
  cluster_.send(*this, to, message);
}

inline void FakeTomcat::put(const std::string& id, const std::string& text) {
  if (entries_.contains(id)) remove(id);
  entries_[id] = {Kind::primary, text, {}, self_};
  publish(id);
}

// publishEntryInfo: the value to the next member in turn, a proxy to the others.
inline void FakeTomcat::publish(const std::string& id) {
  Entry& entry = entries_.at(id);
  entry.kind = Kind::primary;
  entry.primary = self_;
  entry.nodes.clear();
  if (members_.empty()) return;
  const auto backup =
      std::next(members_.begin(), static_cast<std::ptrdiff_t>(next_backup_++ % members_.size()));
  entry.nodes = {backup->second};
  Message full = message(Type::backup, id);
  full.value = session_value(session_record(id, entry.text));
  full.primary = self_;
  full.nodes = entry.nodes;
  Message proxy = message(Type::proxy, id);
  proxy.primary = self_;
  proxy.nodes = entry.nodes;
  const auto others = members_;
  for (const auto& [identity, member] : others) {
    send(member, identity == full.nodes->at(0).identity ? full : proxy);
  }
}

inline void FakeTomcat::change(const std::string& id, const std::string& text) {
  make_primary(id);
  Entry& entry = entries_.at(id);
  if (entry.kind != Kind::primary) throw std::runtime_error("cannot get " + id);
  entry.text = text;
  Message diff = message(Type::backup, id);
  diff.diff = true;
  diff.diff_value = session::compose_delta({id, false, {set("a", text)}});
  diff.primary = entry.primary;
  diff.nodes = entry.nodes;
  for (const Member& node : std::vector<Member>(entry.nodes)) send(node, diff);
}

inline std::string FakeTomcat::get(const std::string& id) {
  if (!knows(id)) return {};
  make_primary(id);
  const Entry& entry = entries_.at(id);
  return entry.kind == Kind::primary ? entry.text : std::string();
}

// AbstractReplicatedMap.get
inline void FakeTomcat::make_primary(const std::string& id) {
  Entry& entry = entries_.at(id);
  if (entry.kind == Kind::primary) return;
  if (entry.kind == Kind::backup) return publish(id);
  std::optional<Message> answer;
  for (const Member& node : entry.nodes) {
    const auto [heard, reply] = cluster_.call(*this, node, message(Type::retrieve_backup, id));
    // A dead node makes the whole call fail: "Unable to replicate out data".
    if (heard == Cluster::Heard::unreachable) return;
    if (heard == Cluster::Heard::null && !answer) return;
    if (heard == Cluster::Heard::answer && !answer) answer = reply;
  }
  if (!answer || !answer->value) return;
  entry.text = attribute_in(*answer->value);
  entry.kind = Kind::primary;
  entry.primary = self_;
  Message notice = message(Type::notify_member, id);
  notice.primary = self_;
  notice.nodes = entry.nodes;
  Message proxy = message(Type::proxy, id);
  proxy.primary = self_;
  proxy.nodes = entry.nodes;
  std::set<tribes::Identity> told;
  for (const Member& node : *notice.nodes) {
    told.insert(node.identity);
    send(node, notice);
  }
  for (const auto& [identity, member] : std::map(members_)) {
    if (!told.contains(identity)) send(member, proxy);
  }
}

inline void FakeTomcat::remove(const std::string& id) {
  entries_.erase(id);
  for (const auto& [identity, member] : std::map(members_)) {
    send(member, message(Type::remove, id));
  }
}

// AbstractReplicatedMap.messageReceived
inline void FakeTomcat::receive(const Message& message) {
  if (message.is(Type::start)) return add_member(*message.primary);
  if (!message.key) return;
  const std::string id = text_in(*message.key);
  if (message.is(Type::remove)) {
    entries_.erase(id);
    return;
  }
  const bool is_value = message.is(Type::backup);
  const bool is_proxy = message.is(Type::proxy);
  if (!is_value && !is_proxy && !knows(id)) return;
  Entry& entry = entries_[id];
  entry.primary = message.primary;
  entry.nodes = message.nodes.value_or(std::vector<Member>{});
  if (is_proxy) entry.kind = Kind::proxy;
  if (!is_value) return;
  entry.kind = Kind::backup;
  if (message.value) entry.text = attribute_in(*message.value);
  if (message.diff) {
    entry.text = text_in(*session::parse_delta(*message.diff_value)->actions.at(0).value);
  }
}

// AbstractReplicatedMap.replyRequest
inline std::optional<Message> FakeTomcat::reply(Message request, const Member& from) {
  if (request.is(Type::ping)) request.value = map::compose_state(map::State::initialized);
  if (request.is(Type::start)) add_member(from);
  if (request.is(Type::retrieve_backup)) {
    const auto at = entries_.find(text_in(*request.key));
    if (at == entries_.end()) return std::nullopt;
    if (at->second.kind != Kind::proxy) {
      request.value = session_value(session_record(at->first, at->second.text));
    }
    return request;
  }
  if (request.is(Type::state)) {
    std::vector<Message> list;
    for (const auto& [id, entry] : entries_) {
      list.push_back(message(Type::proxy, id));
      list.back().primary = entry.primary;
      list.back().nodes = entry.nodes;
    }
    request.value = map::compose_list(list, {});
    return request;
  }
  request.primary = self_;
  return request;
}

inline void FakeTomcat::add_member(const Member& member) {
  if (member.identity == identity() || !members_.emplace(member.identity, member).second) return;
  std::vector<std::string> alone;
  for (const auto& [id, entry] : entries_) {
    if (entry.kind == Kind::primary && entry.nodes.empty()) alone.push_back(id);
  }
  for (const std::string& id : alone) publish(id);
}

// AbstractReplicatedMap.memberDisappeared
inline void FakeTomcat::member_gone(const Member& gone) {
  if (members_.erase(gone.identity) == 0) return;
  std::vector<std::string> publish_again;
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    const bool was_node = std::ranges::any_of(
        entry.nodes, [&](const Member& node) { return node.identity == gone.identity; });
    if (entry.kind == Kind::primary && was_node) {
      publish_again.push_back(at->first);
    } else if (entry.primary && entry.primary->identity == gone.identity) {
      entry.primary.reset();
    }
    if (entry.kind == Kind::proxy && !entry.primary && is_alone_in(gone, entry)) {
      at = entries_.erase(at);
      continue;
    }
    if (entry.kind == Kind::backup && !entry.primary && is_alone_in(self_, entry)) {
      publish_again.push_back(at->first);
    }
    ++at;
  }
  for (const std::string& id : publish_again) publish(id);
}

inline void FakeTomcat::start() {
  Message init = message(Type::init, {});
  init.primary = self_;
  for (const Member& other : cluster_.channel_members(*this)) {
    const auto [heard, answer] = cluster_.call(*this, other, init);
    if (heard == Cluster::Heard::answer) add_member(*answer.primary);
  }
  if (!members_.empty()) {
    const auto [heard, answer] =
        cluster_.call(*this, members_.begin()->second, message(Type::state, {}));
    if (heard == Cluster::Heard::answer) {
      const auto list = map::parse_list(*answer.value);
      for (const Message& entry : *list) receive(entry);
    }
  }
  Message start = message(Type::start, {});
  start.primary = self_;
  for (const Member& other : cluster_.channel_members(*this)) {
    const auto [heard, answer] = cluster_.call(*this, other, start);
    if (heard == Cluster::Heard::answer) add_member(*answer.primary);
  }
}

inline void FakeTomcat::ping() {
  Message ping = message(Type::ping, {});
  ping.primary = self_;
  for (const Member& other : cluster_.channel_members(*this)) {
    const auto [heard, answer] = cluster_.call(*this, other, ping);
    if (heard != Cluster::Heard::answer) continue;
    const auto state = map::parse_state(*answer.value);
    if (state && *state == map::State::initialized) add_member(*answer.primary);
  }
}

}  // namespace tribecast::test
