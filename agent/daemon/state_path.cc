#include "daemon/state_path.h"

#include <cstdlib>
#include <filesystem>

namespace tribecast::daemon {

std::string state_path(const std::string& control_socket, const std::string& name) {
  if (const char* state = std::getenv("STATE_DIRECTORY"); state != nullptr && *state == '/') {
    return std::string(state) + "/" + name;
  }
  return std::filesystem::path(control_socket).replace_extension(name).string();
}

}  // namespace tribecast::daemon
