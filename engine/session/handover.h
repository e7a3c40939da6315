// Everything a store knows, for another engine: what take_changes() would give of every id, in
// messages of the shape of a Tomcat's state transfer. More than a Tomcat is told: the time of each
// value, what has ended, former ids; so two stores agree after it, whoever knew what.
//
//   payload of Event::all_data: records, each u32 size  key   u32 size  value (saved.h)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/session/store.h"

namespace tribecast::session {

// The payload for these ids alone, up to so many bytes and one session more; nothing for an id of
// which nothing is known.
Buffer saved_list(const Store& store, std::string_view context, const std::vector<std::string>& ids,
                  Clock clock, std::size_t max_bytes);

class Handover {
 public:
  // `name` takes the place of a context's in its messages.
  Handover(const Store& store, std::string name, Dialect dialect);

  // Lists, then the completion, then nothing. Each as of its turn.
  std::optional<Message> next(const Store& store, Clock clock);

 private:
  std::string name_;
  Dialect dialect_;
  std::vector<std::string> contexts_;  // those that are still to come, the next one last
  std::string context_;
  std::vector<std::string> ids_;  // of context_, the next one last
  bool over_ = false;
};

}  // namespace tribecast::session
