// What a test has measured, on a line that tests/judgement/table finds.
#pragma once

#include <iostream>

namespace tribecast::test {

// figure("lost ", lost, " of ", sent)
template <class... Parts>
void figure(const Parts&... parts) {
  std::cout << "figure: ";
  (std::cout << ... << parts) << std::endl;
}

}  // namespace tribecast::test
