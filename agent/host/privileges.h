// From root to an ordinary user with CAP_NET_RAW at most, for good.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "io/error.h"

namespace tribecast::host {

struct Identity {
  std::string user;  // name, or the number where it has none
  uid_t uid = 0;
  gid_t gid = 0;
  std::string warning;  // for the log; empty = as it should be
};

// Whether this process has root's user id.
[[nodiscard]] bool is_root();

enum class Keeps : unsigned char { net_raw, nothing };

// Started as root: becomes the first user of `users` that exists (a warning when that is not the
// first one), with CAP_NET_RAW effective and permitted, if it is kept, all others gone from the
// bounding set too, and checks that root cannot be had back. Started as anybody else: keeps that
// user, checks that CAP_NET_RAW is there, if it is kept, and drops the other capabilities. Either
// way: no new privileges, no core dumps, not traceable by others. After an error the process must
// end.
io::OsResult<Identity> drop_privileges(std::span<const std::string> users,
                                       Keeps keeps = Keeps::net_raw);

}  // namespace tribecast::host
