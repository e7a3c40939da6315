// Tomcat 7.0 writes the principal of a session record by hand
// (SerializablePrincipal.writePrincipal), but as an object in a DeltaRequest. Here it is always the
// object.
#pragma once

#include <optional>

#include "engine/java/read.h"
#include "engine/java/write.h"
#include "engine/session/value.h"

namespace tribecast::session {

// Nullopt where `in` failed.
std::optional<Value> read_old_principal(const java::Graph& graph, java::ContentReader& in);
// A value that is no such object becomes a principal without name and roles.
void write_old_principal(java::Writer& out, Bytes value);

}  // namespace tribecast::session
