// What sock_diag sends: whatever the bytes, every socket is whole and none is made up.
#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "host/sock_diag.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tribecast;
  constexpr std::size_t kLeast = sizeof(nlmsghdr) + sizeof(inet_diag_msg);
  const auto messages = host::parse_diag(Bytes(data, size));
  if (!messages) return 0;
  TC_CHECK(messages->sockets.size() * kLeast <= size);
  TC_CHECK(messages->error >= 0);
  for (const host::DiagSocket& socket : messages->sockets) {
    const Endpoint other{socket.local.address, static_cast<std::uint16_t>(socket.local.port ^ 1U)};
    TC_CHECK(!host::listens_on(socket, other));
    TC_CHECK(!host::listens_on(socket, socket.local) || !host::may_be_ended_listener(socket));
  }
  return 0;
}
