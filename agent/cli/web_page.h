// The files of the status page, as they lie in agent/cli/web.
#pragma once

#include <span>
#include <string_view>

namespace tribecast::cli {

struct WebFile {
  std::string_view name;  // below the page's directory; empty = the page itself
  std::string_view type;
  std::string_view content;
};

std::span<const WebFile> web_files();

}  // namespace tribecast::cli
