// The client of the control socket.
#pragma once

#include <string>
#include <vector>

namespace tribecast::vpcsim {

// SOCKET COMMAND...: prints the answer. 0: done, 1: refused, 64: wrong usage, 69: nobody answers.
int ctl(const std::vector<std::string>& words);

}  // namespace tribecast::vpcsim
