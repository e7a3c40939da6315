// The kernel's list of multicast memberships, /proc/net/igmp, as text.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace tribecast::host {

struct IgmpEntry {
  int interface = 0;  // index
  Address group;
  std::uint32_t users = 0;  // sockets that joined

  auto operator<=>(const IgmpEntry&) const = default;
};

// Pure. Lines that make no sense are skipped. The kernel prints a group as the hexadecimal value of
// its four bytes read in the host's byte order, so 228.0.0.4 is 040000E4 on a little endian host.
std::vector<IgmpEntry> parse_igmp(std::string_view text,
                                  std::endian byte_order = std::endian::native);

}  // namespace tribecast::host
