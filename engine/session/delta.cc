#include "engine/session/delta.h"

#include "engine/java/parse.h"
#include "engine/java/read.h"
#include "engine/session/boxes.h"
#include "engine/session/value_reader.h"

namespace tribecast::session {
namespace {

Action read_action(ValueReader& values, java::ContentReader& in) {
  Action action;
  action.type = static_cast<std::int32_t>(in.u32());
  action.action = static_cast<std::int32_t>(in.u32());
  action.name = text_of(in.utf());
  const bool has_value = in.boolean();
  if (!in.ok() || !has_value) return action;
  action.value = values.take(in);
  action.lost = !action.value;
  return action;
}

}  // namespace

Result<Delta, Malformed> parse_delta(Bytes payload) {
  const auto graph = java::parse(payload);
  if (!graph) return Unexpected{Malformed::bad_stream};
  java::ContentReader in(*graph, graph->roots());
  ValueReader values(*graph, payload.size());
  Delta delta;
  delta.session_id = text_of(in.utf());
  delta.record_all = in.boolean();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    delta.actions.push_back(read_action(values, in));
    if (values.too_large()) return Unexpected{Malformed::too_large};
  }
  if (!in.ok()) return Unexpected{Malformed::bad_payload};
  return delta;
}

Buffer compose_delta(const Delta& delta) {
  java::Writer out;
  out.utf(bytes_of(delta.session_id));
  out.boolean(delta.record_all);
  out.u32(static_cast<std::uint32_t>(delta.actions.size()));
  for (const Action& action : delta.actions) {
    out.u32(static_cast<std::uint32_t>(action.type));
    out.u32(static_cast<std::uint32_t>(action.action));
    out.utf(bytes_of(action.name));
    out.boolean(action.value.has_value());
    if (action.value && !put_value(out, *action.value)) out.null();
  }
  return out.release();
}

}  // namespace tribecast::session
