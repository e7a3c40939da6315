// Parts of a man page, as roff, and the page of a table of settings.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace tribecast::config {

// Text as roff wants it: no line begins with a control character, and no hyphen becomes a dash.
// Words between backquotes are bold.
std::string roff(std::string_view text);

// The beginning of a page, up to its name: `version` is that of tribecast.
std::string roff_heading(std::string_view name, std::string_view section, std::string_view summary,
                         std::string_view version);

// A word and what it means.
std::string roff_entry(std::string_view word, std::string_view meaning);

// Every section with its keys, then what is written for each of `kinds`.
std::string roff_settings(const Table& table, std::span<const Kind> kinds);

}  // namespace tribecast::config
