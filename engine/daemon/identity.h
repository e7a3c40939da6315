// What makes the engine the same member after a restart, in a file of its state directory: the
// unique id, and when it was first started, which is its age.
#pragma once

#include <cstdint>
#include <string>

#include "io/error.h"
#include "io/fd.h"
#include "tribes/member.h"

namespace tribecast::engine {

struct Identity {
  tribes::UniqueId unique_id{};
  std::uint64_t since_milliseconds = 0;  // wall clock, since 1970
  bool is_new = false;
  io::Fd lock;  // held while the engine runs: two with one identity would be one flapping member
};

// Reads `directory`/identity, or makes it, on disk before it returns. The directory is made too,
// when its parent is there.
io::OsResult<Identity> load_identity(const std::string& directory, std::uint64_t now_milliseconds);

// Gives the directory and the file to that user, who runs the engine from now on.
io::OsResult<Done> give_identity_to(const std::string& directory, unsigned uid, unsigned gid);

}  // namespace tribecast::engine
