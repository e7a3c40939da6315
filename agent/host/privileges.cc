#include "host/privileges.h"

#include <grp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/accounts.h"

namespace tribecast::host {
namespace {

using Step = std::optional<io::OsError>;  // empty = done
using CapState = std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)>;

constexpr std::array<cap_value_t, 1> kNetRaw = {CAP_NET_RAW};

Step failed(std::string what) { return io::OsError{errno, std::move(what), {}}; }

std::string name_of(uid_t uid) {
  const auto account = find_user(uid);
  return account ? account->name : std::to_string(uid);
}

io::OsResult<Identity> choose(std::span<const std::string> users) {
  for (const std::string& user : users) {
    const auto account = find_user(user);
    if (!account || account->uid == 0) continue;
    Identity identity{account->name, account->uid, account->gid, {}};
    if (user != users.front()) {
      identity.warning = "no user " + users.front() + ": running as " + user +
                         ", which other programs may share; create it with: useradd --system " +
                         users.front();
    }
    return identity;
  }
  std::string tried;
  for (const std::string& user : users) tried += (tried.empty() ? "" : ", ") + user;
  return Unexpected{io::OsError{ENOENT, "drop root", "none of these users exists: " + tried}};
}

bool may_use(cap_value_t capability) {
  const CapState state(cap_get_proc(), &cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return state && cap_get_flag(state.get(), capability, CAP_PERMITTED, &value) == 0 &&
         value == CAP_SET;
}

bool set_flags(cap_t wanted, Keeps keeps) {
  if (keeps == Keeps::nothing) return true;
  return cap_set_flag(wanted, CAP_PERMITTED, kNetRaw.size(), kNetRaw.data(), CAP_SET) == 0 &&
         cap_set_flag(wanted, CAP_EFFECTIVE, kNetRaw.size(), kNetRaw.data(), CAP_SET) == 0;
}

// A service manager may have set them already, and forbid to change them by its system call filter:
// what counts is what there is then.
Step keep_only(Keeps keeps) {
  const std::string what =
      keeps == Keeps::nothing ? "keep no capability" : "keep CAP_NET_RAW alone";
  const CapState wanted(cap_init(), &cap_free);
  if (!wanted || !set_flags(wanted.get(), keeps)) return failed(what);
  static_cast<void>(cap_set_proc(wanted.get()));
  static_cast<void>(cap_reset_ambient());
  const CapState now(cap_get_proc(), &cap_free);
  const int differs = now ? cap_compare(now.get(), wanted.get()) : -1;
  if (CAP_DIFFERS(differs, CAP_PERMITTED) || CAP_DIFFERS(differs, CAP_EFFECTIVE)) {
    return io::OsError{EPERM, what, "other capabilities are still there"};
  }
  return std::nullopt;
}

// What may come back by executing another program. Without CAP_SETPCAP (a container) it stays;
// no_new_privs makes it useless anyway.
void drop_bounding_set() {
  for (cap_value_t c = 0; CAP_IS_SUPPORTED(c); ++c) static_cast<void>(cap_drop_bound(c));
}

Step lock_down() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return failed("no core dumps");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("not dumpable");
  return std::nullopt;
}

Step become(const Identity& identity) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return failed("keep capabilities");
  if (setgroups(0, nullptr) != 0) return failed("setgroups");
  if (setresgid(identity.gid, identity.gid, identity.gid) != 0) return failed("setgid");
  if (setresuid(identity.uid, identity.uid, identity.uid) != 0) return failed("setuid");
  return std::nullopt;
}

// Tries to become root again.
Step verify_gone() {
  if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0) {
    return io::OsError{EPERM, "drop root", "root could be had back"};
  }
  return std::nullopt;
}

}  // namespace

bool is_root() { return geteuid() == 0; }

io::OsResult<Identity> drop_privileges(std::span<const std::string> users, Keeps keeps) {
  const bool root = is_root();
  if (keeps == Keeps::net_raw && !may_use(CAP_NET_RAW)) {
    return Unexpected{io::OsError{
        EPERM, "CAP_NET_RAW is missing",
        root ? "this root lacks it (a container?): add it, for example with --cap-add=NET_RAW"
             : "start as root, by the service unit, or after: setcap cap_net_raw+ep tribecastd"}};
  }
  Identity identity{name_of(getuid()), getuid(), getgid(), {}};
  if (root) {
    auto chosen = choose(users);
    if (!chosen) return chosen;
    identity = *chosen;
    drop_bounding_set();
    if (auto error = become(identity)) return Unexpected{*error};
  }
  if (auto error = keep_only(keeps)) return Unexpected{*error};
  if (auto error = lock_down()) return Unexpected{*error};
  if (auto error = verify_gone()) return Unexpected{*error};
  return identity;
}

}  // namespace tribecast::host
