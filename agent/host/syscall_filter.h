// The system calls that the running agent may make: one lock more, behind the rights that it lacks.
#pragma once

#include <optional>
#include <string>

#include "io/error.h"

namespace tribecast::host {

enum class OnForbidden {
  refuse,  // the call fails with EPERM and standard error says so; the first 20 of a process
  kill,    // the process ends at once with SIGSYS
  allow,   // there is no filter
};

// The words of the command line: refuse, kill, allow.
[[nodiscard]] std::optional<OnForbidden> to_on_forbidden(const std::string& word);

// From now on, for this process (which is one thread) and all that it starts, for good. Needs
// no_new_privs. starts_programs: it, and they, may make all calls but those for administrators and
// debuggers. Otherwise it may make those that it needs, maps nothing executable and starts nothing.
// Value: false = there is no filter, with OnForbidden::allow, sanitizers or another machine than
// x86-64 and arm64. Error: the kernel has none.
[[nodiscard]] io::OsResult<bool> filter_syscalls(OnForbidden on_forbidden, bool starts_programs);

}  // namespace tribecast::host
