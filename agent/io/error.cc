#include "io/error.h"

#include <system_error>

namespace tribecast::io {

std::string OsError::message() const {
  return object + ": " + (reason.empty() ? std::system_category().message(code) : reason);
}

}  // namespace tribecast::io
