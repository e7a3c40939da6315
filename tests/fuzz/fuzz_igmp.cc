// The kernel's membership list, in either byte order: whatever the text, every entry is whole.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "host/igmp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tribecast;
  const std::string text = text_of(Bytes(data, size));
  const auto little = host::parse_igmp(text, std::endian::little);
  const auto big = host::parse_igmp(text, std::endian::big);
  TC_CHECK(little.size() == big.size());
  for (std::size_t i = 0; i < little.size(); ++i) {
    TC_CHECK(little[i].interface > 0 && little[i].interface == big[i].interface);
    TC_CHECK(little[i].users == big[i].users);
    TC_CHECK(little[i].group.is_v4() && big[i].group.is_v4());
  }
  return 0;
}
