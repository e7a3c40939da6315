// Users and groups of this host, from /etc/passwd and /etc/group. Never through the name service
// switch: its modules cannot be loaded into a static program, and cost memory in any.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace tribecast::host {

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

[[nodiscard]] std::optional<Account> find_user(const std::string& name);
[[nodiscard]] std::optional<Account> find_user(uid_t uid);
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

}  // namespace tribecast::host
