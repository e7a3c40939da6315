// TC_CHECK: states what must hold unless this program has a bug; prints where and aborts.
// Never for bad input from outside: that is a Result or a counted drop.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace tribecast {

[[noreturn]] inline void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: internal error: %s does not hold\n", file, line, what);
  std::abort();
}

}  // namespace tribecast

#define TC_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::tribecast::check_failed(#condition, __FILE__, __LINE__))
