// Where the agent keeps what shall outlive it.
#pragma once

#include <string>

namespace tribecast::daemon {

// `name` in the service manager's state directory; without one beside the control socket, called as
// that is: /run/tribecast/tribecast.NAME.
std::string state_path(const std::string& control_socket, const std::string& name);

}  // namespace tribecast::daemon
