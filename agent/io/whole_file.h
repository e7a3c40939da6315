// The whole text of an open file.
#pragma once

#include <cstddef>
#include <string>

#include "io/error.h"

namespace tribecast::io {

// From its beginning, wherever its offset stands. What is longer than `most` bytes comes with one
// byte more than that, so that the caller sees it. For files, whose size is known; not for pipes.
// The error says "cannot be read: ...", the caller says what.
OsResult<std::string> read_whole(int file, std::size_t most);

}  // namespace tribecast::io
