#include "engine/map/value.h"

#include <algorithm>
#include <array>

#include "engine/session/boxes.h"
#include "engine/session/delta.h"
#include "engine/session/record.h"
#include "engine/session/saved.h"

namespace tribecast::map {
namespace {

using session::ActionType;
using session::Dialect;

// Up to here diffs wait.
constexpr std::size_t kFreeDiffBytes = 2048;
constexpr std::size_t kAllocation = 16;  // what an allocation costs beside its bytes

// serialVersionUIDs of DeltaSession in Tomcat 7.0.0, 7.0.42 and 7.0.109.
constexpr std::array<std::uint64_t, 3> kSessionsOf7 = {0x6ddef1e0d471f25f, 0x9562d0fe37dd8403,
                                                       0x2b73754c3e577621};

// org.apache.catalina.authenticator.Constants: the notes that a record has a place for.
constexpr std::string_view kIdNote = "org.apache.catalina.authenticator.SESSION_ID";
constexpr std::string_view kRequestNote = "org.apache.catalina.authenticator.REQUEST";

struct OpenSession {
  session::SessionObject object;
  Dialect dialect = Dialect::tomcat8;
};

bool is_session(Bytes stream) {
  constexpr std::string_view kClass = "org.apache.catalina.ha.session.DeltaSession";
  constexpr std::size_t kNameAt = 8;  // behind the header, the codes and the name's length
  return stream.size() > kNameAt + kClass.size() &&
         view_of(stream.subspan(kNameAt, kClass.size())) == kClass;
}

// The dialects differ where there is a principal. Later Tomcats read a record without one and
// without notes in the old form as well, so in doubt that is it.
std::optional<OpenSession> open_session(Bytes stream) {
  auto object = session::parse_session(stream, Dialect::tomcat8);
  if (object) {
    const auto& record = object->record;
    const bool old = std::ranges::find(kSessionsOf7, object->shape[0].uid) != kSessionsOf7.end() ||
                     (!record.id_note && !record.principal);
    if (!old || !record.principal) {
      return OpenSession{std::move(*object), old ? Dialect::tomcat7 : Dialect::tomcat8};
    }
  }
  auto old = session::parse_session(stream, Dialect::tomcat7);
  if (!old) return std::nullopt;
  return OpenSession{std::move(*old), Dialect::tomcat7};
}

void set_attribute(session::Record& record, const session::Action& action) {
  auto& all = record.attributes;
  const auto at = std::ranges::find(all, action.name, [](const auto& a) { return a.first; });
  if (!action.sets() || !action.value) {
    if (at != all.end()) all.erase(at);
  } else if (at != all.end()) {
    at->second = *action.value;
  } else {
    all.emplace_back(action.name, *action.value);
  }
}

// DeltaRequest.execute. A listener's removal has no value to compare with: it stays.
void apply_action(session::Record& record, const session::Action& action) {
  const auto value = action.sets() ? action.value : std::nullopt;
  if (action.lost) return;
  if (action.is(ActionType::attribute)) set_attribute(record, action);
  if (action.is(ActionType::principal)) record.principal = value;
  if (action.is(ActionType::note) && action.name == kIdNote) record.id_note = value;
  if (action.is(ActionType::note) && action.name == kRequestNote) record.request_note = value;
  if (!value) return;
  if (action.is(ActionType::is_new)) {
    record.is_new = session::boolean_in(*value).value_or(record.is_new);
  }
  if (action.is(ActionType::max_interval)) {
    record.max_inactive_s = session::integer_in(*value).value_or(record.max_inactive_s);
  }
  if (action.is(ActionType::listener)) record.listeners.push_back(*value);
}

}  // namespace

bool Value::take(Bytes stream, bool keep_diffs) {
  max_inactive_s_ = 0;
  if (is_session(stream)) {
    const auto open = open_session(stream);
    if (!open) return false;
    max_inactive_s_ = open->object.record.max_inactive_s;
  }
  stream_ = copy_of(stream);
  if (!keep_diffs) {
    diffs_.clear();
    diff_bytes_ = 0;
    accessed_ms_ = 0;
  }
  return true;
}

bool Value::add(Bytes diff, std::int64_t wall_ms) {
  const auto delta = session::parse_delta(diff);
  if (!delta) return false;
  for (const session::Action& action : delta->actions) {
    if (!action.is(ActionType::max_interval) || !action.value) continue;
    max_inactive_s_ = session::integer_in(*action.value).value_or(max_inactive_s_);
  }
  diffs_.push_back(copy_of(diff));
  diff_bytes_ += diff.size() + sizeof(Buffer) + kAllocation;
  accessed_ms_ = wall_ms;
  if (known() && diff_bytes_ > std::max(kFreeDiffBytes, stream_.size())) fold();
  return true;
}

void Value::start_fill() {
  if (!diffs_.empty()) fold();
}

void Value::fold() {
  stream_ = bytes();
  diffs_ = {};
  diff_bytes_ = 0;
}

Buffer Value::bytes() const {
  if (accessed_ms_ == 0 || !is_session(stream_)) return stream_;
  auto open = open_session(stream_);
  if (!open) return stream_;
  session::Record& record = open->object.record;
  for (const Buffer& diff : diffs_) {
    const auto delta = session::parse_delta(diff);
    if (!delta) continue;
    for (const session::Action& action : delta->actions) apply_action(record, action);
  }
  // As DeltaSession.access() and endAccess() leave it.
  record.this_accessed_ms = std::max(record.this_accessed_ms, accessed_ms_);
  record.last_accessed_ms = record.this_accessed_ms;
  return session::compose_session(record, open->object.shape, open->dialect);
}

void Value::save(ByteWriter& out) const {
  session::put_saved_text(out, stream_);
  session::put_saved_time(out, accessed_ms_);
  out.u32be(static_cast<std::uint32_t>(diffs_.size()));
  for (const Buffer& diff : diffs_) session::put_saved_text(out, diff);
}

std::optional<Value> Value::load(ByteReader& in) {
  Value value;
  if (!value.set(session::take_saved_text(in)) || !value.known()) return std::nullopt;
  const std::int64_t accessed_ms = session::take_saved_time(in);
  const std::uint32_t count = in.u32be();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    if (!value.add(session::take_saved_text(in), accessed_ms)) return std::nullopt;
  }
  value.accessed_ms_ = accessed_ms;
  if (!in.ok()) return std::nullopt;
  return value;
}

std::size_t Value::memory_bytes() const {
  const std::size_t stream = stream_.empty() ? 0 : stream_.size() + kAllocation;
  return stream + diff_bytes_;
}

}  // namespace tribecast::map
