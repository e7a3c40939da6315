// A failure of the world outside: an errno with the operation and object it happened to.
#pragma once

#include <cerrno>
#include <string>
#include <utility>

#include "base/result.h"

namespace tribecast::io {

struct OsError {
  int code = 0;        // errno; 0 when only `reason` tells
  std::string object;  // "bind 0.0.0.0:45565/udp"
  std::string reason;  // replaces the text of `code` when not empty

  // "bind 0.0.0.0:45565/udp: Address already in use"
  [[nodiscard]] std::string message() const;
};

template <class T>
using OsResult = Result<T, OsError>;

// The current errno.
inline Unexpected<OsError> os_error(std::string object) {
  return Unexpected<OsError>{OsError{errno, std::move(object), {}}};
}

}  // namespace tribecast::io
