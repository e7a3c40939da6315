#include "engine/session/session.h"

#include <algorithm>
#include <tuple>

#include "engine/session/boxes.h"
#include "engine/session/digest.h"

namespace tribecast::session {
namespace {

// Up to here every entry gets its own place: most sessions have few.
constexpr std::size_t kExactEntries = 16;
constexpr std::size_t kAllocationBytes = 16;  // what an allocation costs beside its bytes

// org.apache.catalina.authenticator.Constants: the two notes that a record has a place for.
constexpr std::string_view kIdNote = "org.apache.catalina.authenticator.SESSION_ID";
constexpr std::string_view kRequestNote = "org.apache.catalina.authenticator.REQUEST";

// A record says with a Java null that there is none.
bool has_note(const std::optional<Value>& note) {
  constexpr std::array<std::uint8_t, 5> kNull = {0xac, 0xed, 0x00, 0x05, 0x70};
  return note && !same(*note, kNull);
}

std::size_t bytes_of_entry(const Entry& entry) {
  return sizeof(Entry) + kAllocationBytes + entry.content.size();
}

auto key_of_entry(const Entry& entry) { return std::tuple(entry.type, entry.content.name()); }

bool is_kept_by_name(ActionType type) {
  return type == ActionType::attribute || type == ActionType::note || type == ActionType::listener;
}

// Of two values of one time, all who have seen both keep the same one.
bool is_newer(const Entry& a, const Entry& b) {
  return std::tuple(a.time_ms, a.order, !a.removed, view_of(a.content.value())) >
         std::tuple(b.time_ms, b.order, !b.removed, view_of(b.content.value()));
}

// The value stands for itself by its size: who has the same message has the same value.
std::uint64_t digest_of_entry(const Entry& entry) {
  if (entry.removed) return 0;
  const std::uint64_t place =
      digest_of(entry.content.name()) + static_cast<std::uint64_t>(entry.type);
  const std::uint64_t moment = mixed(static_cast<std::uint64_t>(entry.time_ms)) + entry.order;
  return mixed(mixed(place) ^ mixed(moment) ^ entry.content.value().size());
}

// The value of a property that is a number.
std::optional<std::int32_t> number_in(const Action& action) {
  if (!action.value) return std::nullopt;
  if (action.is(ActionType::max_interval)) return integer_in(*action.value);
  const auto flag = boolean_in(*action.value);
  return flag ? std::optional<std::int32_t>(*flag ? 1 : 0) : std::nullopt;
}

}  // namespace

void Session::put(Entry entry) {
  const auto at = std::ranges::lower_bound(entries_, key_of_entry(entry), {}, key_of_entry);
  if (at == entries_.end() || key_of_entry(*at) != key_of_entry(entry)) {
    entries_digest_ += digest_of_entry(entry);
    const auto index = at - entries_.begin();
    if (entries_.size() < kExactEntries) entries_.reserve(entries_.size() + 1);
    entries_.insert(entries_.begin() + index, std::move(entry));
    return;
  }
  if (!is_newer(entry, *at)) return;
  entries_digest_ += digest_of_entry(entry) - digest_of_entry(*at);
  *at = std::move(entry);
}

void Session::put_number(ActionType type, const Number& number) {
  Number& kept = type == ActionType::max_interval ? max_inactive_s_ : is_new_;
  kept = std::max(kept, number);
}

void Session::apply(const Delta& delta, std::int64_t time_ms) {
  std::uint32_t order = 0;
  for (const Action& action : delta.actions) {
    ++order;
    if (action.lost || action.type < 0 || action.type > static_cast<int>(ActionType::note))
      continue;
    const auto type = static_cast<ActionType>(action.type);
    if (type == ActionType::max_interval || type == ActionType::is_new) {
      const auto value = number_in(action);
      if (value) put_number(type, {time_ms, order, *value});
      // The first request of a session says that it is new.
      if (type == ActionType::is_new && value == 1 && !complete()) set_created(time_ms);
      continue;
    }
    Entry entry;
    entry.type = type;
    entry.removed = !action.sets() || !action.value;
    entry.order = order;
    entry.time_ms = time_ms;
    entry.content = NamedValue(is_kept_by_name(type) ? action.name : std::string_view(),
                               entry.removed ? Bytes() : Bytes(*action.value));
    put(std::move(entry));
  }
}

void Session::fill(const Record& record) {
  const std::int64_t as_of = std::max(record.this_accessed_ms, record.last_accessed_ms);
  const auto take = [&](ActionType type, std::string_view name, const Value& value) {
    Entry entry;
    entry.type = type;
    entry.time_ms = as_of;
    entry.content = NamedValue(name, value);
    put(std::move(entry));
  };
  for (const auto& [name, value] : record.attributes) take(ActionType::attribute, name, value);
  if (has_note(record.id_note)) take(ActionType::note, kIdNote, *record.id_note);
  if (has_note(record.request_note)) take(ActionType::note, kRequestNote, *record.request_note);
  if (record.principal) take(ActionType::principal, {}, *record.principal);
  put_number(ActionType::max_interval, {as_of, 0, record.max_inactive_s});
  put_number(ActionType::is_new, {as_of, 0, record.is_new ? 1 : 0});
  created_ms_ = record.created_ms;
  last_accessed_ms_ = std::max(last_accessed_ms_, record.last_accessed_ms);
  this_accessed_ms_ = std::max(this_accessed_ms_, record.this_accessed_ms);
}

void Session::touch(std::int64_t time_ms, Instant now) {
  heard_ = std::max(heard_, now);
  if (time_ms <= this_accessed_ms_) return;
  last_accessed_ms_ = this_accessed_ms_ == 0 ? time_ms : this_accessed_ms_;
  this_accessed_ms_ = time_ms;
}

void Session::absorb(Session&& other) {
  for (Entry& entry : other.entries_) put(std::move(entry));
  put_number(ActionType::max_interval, other.max_inactive_s_);
  put_number(ActionType::is_new, other.is_new_);
  if (other.complete() && (!complete() || other.created_ms_ < created_ms_)) {
    created_ms_ = other.created_ms_;
  }
  last_accessed_ms_ = std::max(last_accessed_ms_, other.last_accessed_ms_);
  this_accessed_ms_ = std::max(this_accessed_ms_, other.this_accessed_ms_);
  heard_ = std::max(heard_, other.heard_);
}

void Session::forget_removed(std::int64_t before_ms) {
  std::erase_if(entries_,
                [&](const Entry& entry) { return entry.removed && entry.time_ms < before_ms; });
}

std::size_t Session::memory_bytes() const {
  std::size_t bytes = sizeof(Session);
  for (const Entry& entry : entries_) bytes += bytes_of_entry(entry);
  return bytes;
}

Version Session::version() const {
  const auto time = static_cast<std::uint64_t>(this_accessed_ms_);
  const auto interval = static_cast<std::uint64_t>(max_inactive_s_.value);
  return {this_accessed_ms_, mixed(entries_digest_ ^ mixed(time)) + mixed(interval)};
}

Instant Session::expires_at() const {
  if (max_inactive_s_.value <= 0) return kNever;
  return heard_ + 2 * seconds(max_inactive_s_.value);
}

Record Session::record(std::string_view id) const {
  Record record{.created_ms = std::max<std::int64_t>(created_ms_, 0),
                .last_accessed_ms = last_accessed_ms_,
                .max_inactive_s = max_inactive_s_.value,
                .is_new = is_new_.value != 0,
                .this_accessed_ms = this_accessed_ms_,
                .id = std::string(id)};
  for (const Entry& entry : entries_) {
    if (entry.removed) continue;
    const std::string_view name = entry.content.name();
    Value value = copy_of(entry.content.value());
    if (entry.type == ActionType::attribute) {
      record.attributes.emplace_back(name, std::move(value));
    } else if (entry.type == ActionType::listener) {
      record.listeners.push_back(std::move(value));
    } else if (entry.type == ActionType::principal) {
      record.principal = std::move(value);
    } else if (entry.type == ActionType::note && name == kIdNote) {
      record.id_note = std::move(value);
    } else if (entry.type == ActionType::note && name == kRequestNote) {
      record.request_note = std::move(value);
    }
  }
  return record;
}

}  // namespace tribecast::session
