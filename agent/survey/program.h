// Programs of the host that are run for what they print, as this user. No words of theirs come
// from outside.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tribecast::survey {

// Where the distributions have it; nullopt: not installed, or not for this user.
std::optional<std::string> find_program(const std::string& name);

// Its standard output; it has an empty environment, and 5 s. The first word is its path. The error
// says why there is none: it failed, took too long, or printed more than `most` bytes. What it
// complains of is dropped.
Result<std::string, std::string> run_program(std::vector<std::string> words, std::size_t most);

}  // namespace tribecast::survey
