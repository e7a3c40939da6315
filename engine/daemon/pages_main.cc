// Prints the man page of the engine's settings, tribecast-engine.conf.5.
#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "config/manual.h"
#include "engine/daemon/config.h"

namespace {

using tribecast::config::Kind;
using tribecast::config::Setting;

// Those that the agent's settings do not have, or have another one of that name.
constexpr std::array kEngineKinds = {
    Kind{"endpoint", "an address and a port: `10.0.0.1:4000`; port 4000 when there is none"},
    Kind{"address", "an address that members can connect to"},
    Kind{"group", "an IPv4 multicast address and a port: `228.0.0.4:45564`; or `none`"},
    Kind{"unique id", "16 bytes in decimal, `{0,1,...,15}`, or 32 hexadecimal digits"},
    Kind{"interceptors",
         "`none`, or a list of `gzip`, `gzip-always` (Tomcat 7.0 and 8.5), `fragmentation`, "
         "`order`, `domain-filter` and `encrypt`"},
    Kind{"encryption", "`gcm-replay`, `gcm`, `cbc-replay` or `cbc`"},
    Kind{"store", "`disk` or `memory`"},
    Kind{"fsync", "`always`, `interval` or `off`"},
    Kind{"ack", "`memory`, `disk` or `peer`"},
};

std::vector<Kind> kinds_of(const tribecast::config::Table& table) {
  std::vector<Kind> kinds;
  const auto add_used = [&](const Kind& kind) {
    const auto has_name = [&](const auto& other) { return other.name == kind.name; };
    const auto is_of_kind = [&](const Setting& setting) { return setting.kind == kind.name; };
    if (std::ranges::none_of(kinds, has_name) && std::ranges::any_of(table.settings, is_of_kind)) {
      kinds.push_back(kind);
    }
  };
  for (const Kind& kind : kEngineKinds) add_used(kind);
  for (const Kind& kind : tribecast::config::kinds()) add_used(kind);
  return kinds;
}

}  // namespace

int main() {
  using namespace tribecast::config;
  const Table& table = tribecast::engine::table();
  const std::string text =
      roff_heading("tribecast-engine.conf", "5", "configuration of tribecast-engine",
                   TRIBECAST_VERSION) +
      ".SH DESCRIPTION\n" +
      roff(
          "The engine reads `/etc/tribecast/engine.conf` once, when it starts.\n"
          "`[type]` or `[type \"name\"]` begins a section, `key = value` sets a key in it; `#` "
          "and `;` begin a comment.\n"
          "`tribecast-engine --check` names every mistake by file and line.\n") +
      roff_settings(table, kinds_of(table)) + ".SH SEE ALSO\n.BR tribecast\\-engine (8)\n";
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
