// The line scanner: configuration text to sections, keys and values with their places.
//
//   [type "name"]
//   key = value        # comments begin with # or ; at a line's start or after white space
//   key = "a # value"
//
// Knows nothing of which sections and keys exist. Lines it cannot read become findings, and the
// keys that follow a broken section header are left out, so that one mistake is one message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace tribecast::config {

inline constexpr std::size_t kMaxLineBytes = 4096;

// Where something stands in the text: what a message points at.
struct Place {
  std::string file;
  unsigned line = 0;
  std::string source;
  std::size_t column = 0;
  std::size_t width = 0;
};

struct Entry {
  std::string key;
  std::string value;
  Place key_at;
  Place value_at;
};

struct Section {
  std::string type;
  std::optional<std::string> name;
  Place at;
  std::vector<Entry> entries;
};

struct Scan {
  std::vector<Section> sections;
  Diagnostics diagnostics;
};

Scan scan(const Source& source);

Diagnostic error_at(const Place& place, std::string what);

}  // namespace tribecast::config
