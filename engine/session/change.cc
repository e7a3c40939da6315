#include "engine/session/change.h"

#include "engine/java/parse.h"
#include "engine/java/read.h"
#include "engine/java/write.h"
#include "engine/session/message.h"

namespace tribecast::session {

Result<std::string, Malformed> parse_new_id(Bytes payload) {
  const auto graph = java::parse(payload);
  if (!graph) return Unexpected{Malformed::bad_stream};
  java::ContentReader in(*graph, graph->roots());
  std::string id = text_of(in.utf());
  if (!in.ok() || id.empty() || id.size() > kMaxNameBytes)
    return Unexpected{Malformed::bad_payload};
  return id;
}

Buffer compose_new_id(std::string_view id) {
  java::Writer out;
  out.utf(bytes_of(id));
  return out.release();
}

}  // namespace tribecast::session
