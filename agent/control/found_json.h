// What a discovery program prints: one JSON object a line.
//
//   {"name": "web-1", "address": ["10.0.0.11", "10.0.1.11:45565"], "site": "shanghai"}
//
// `address` may be one text; `site` may be missing or null. Keys that are not known are passed
// over, so are empty lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/found.h"
#include "base/result.h"

namespace tribecast::control {

struct FoundFault {
  unsigned line = 0;  // 0 = the answer as a whole
  std::string what;   // one clause
};

// All lines, or what is wrong with the first that is no such object.
Result<std::vector<FoundLine>, FoundFault> read_found_json(std::string_view text);

}  // namespace tribecast::control
