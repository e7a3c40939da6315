// What a Tomcat's copy of a session says beside what is kept of it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/session/record.h"
#include "engine/session/session.h"

namespace tribecast::keeper {

// A property: a type that Entry has, and its name.
using Part = std::pair<session::ActionType, std::string>;

// When the copy may be older, and when it may be newer than what is kept. Times are in milliseconds
// since 1970, by the clocks of Tomcats.
struct Standing {
  bool is_missed = false;          // the copy surely lacks what was said of it until then
  std::int64_t until_ms = 0;       // what is later than this is on its way to it
  bool is_known = false;           // what the copy lacks is known: what is not missed is there
  std::int64_t alone_from_ms = 0;  // the Tomcat served requests unheard
  std::int64_t alone_to_ms = -1;
};

enum class Finding : std::uint8_t {
  alike,
  older,  // the copy; `parts` are to be set there
  newer,  // it has what nobody else was told
};

struct Comparison {
  Finding finding = Finding::alike;
  std::vector<Part> parts = {};
  bool may_be_alike = false;  // is_alike() of all parts
};

// Two JVMs write the same hash table in two orders: those of one length may be the same.
bool is_alike(Bytes a, Bytes b);

Comparison compare(const session::Session& kept, const session::Record& copy,
                   const Standing& standing);

// The payload of a delta that sets these parts of it as they are kept, or removes them.
Buffer compose_parts(const session::Session& kept, const std::string& id,
                     const std::vector<Part>& parts);

}  // namespace tribecast::keeper
