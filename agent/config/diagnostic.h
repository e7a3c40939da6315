// A finding about the configuration, and how it is shown:
//
//   /etc/tribecast/tribecast.conf:13: error: unknown key 'adress' in [peer "b"]
//      13 | adress = 172.16.0.12
//         | ^^^^^^ did you mean 'address'?
//       why: ...
//       fix: ...
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tribecast::config {

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  unsigned line = 0;  // 0 = the file as a whole
  std::string what;
  std::string source;      // the line as it is in the file; empty = not shown
  std::size_t column = 0;  // what the caret points at: offset and size in bytes
  std::size_t width = 0;
  std::string hint;  // behind the caret
  std::string why;
  std::string fix;
};

using Diagnostics = std::vector<Diagnostic>;

// An error about a file as a whole.
Diagnostic finding(const std::string& file, std::string what, std::string fix = {});

bool has_errors(const Diagnostics& diagnostics);
// One finding, several lines, each ended by a newline.
std::string to_text(const Diagnostic& diagnostic);
// All findings, then `2 errors, 1 warning`.
std::string to_text(const Diagnostics& diagnostics);

}  // namespace tribecast::config
