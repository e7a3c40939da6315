// The files that `peer add` and `group join` write into peers.d/ and conf.d/: one section each,
// under a line that says who wrote it. Nothing else is ever taken away by `peer remove` and `group
// leave`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/scan.h"

namespace tribecast::config {

enum class LiveKind : std::uint8_t { peer, group };

struct LiveSection {
  LiveKind kind = LiveKind::peer;
  std::string name;                    // good by to_name()
  std::vector<std::string> addresses;  // good by to_peer_address() or to_group_address()
  std::string public_key{};            // of a peer, good by to_public_key(); empty = none
};

std::string_view name_of(LiveKind kind);  // the section's type
// Beside the main file: `peers.d/web-3.conf`, `conf.d/group-tomcat.conf`. Characters that have a
// meaning in file names are written as %2F.
std::string live_file(LiveKind kind, std::string_view name);
std::string live_text(const LiveSection& section);
// Whether the text is one that live_text() wrote, and holds nothing but its section. Keys that were
// added to it since belong to the section.
bool is_live_text(std::string_view text);

// Where [type "name"] begins.
std::optional<Place> find_section(const std::vector<Source>& sources, std::string_view type,
                                  std::string_view name);
// The names of all [type "..."].
std::vector<std::string> section_names(const std::vector<Source>& sources, std::string_view type);

}  // namespace tribecast::config
