// Any text as the list of local members that the agent keeps over a restart: what is accepted
// survives being written and read again.
#include "base/check.h"
#include "relay/remembered.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tribecast::relay;
  const std::string text(data, data + size);
  const auto members = parse_remembered(text);
  if (!members) {
    TC_CHECK(!members.error().empty());
    return 0;
  }
  const auto again = parse_remembered(to_text(*members));
  TC_CHECK(again && *again == *members);
  for (const Remembered& remembered : *members) {
    const tribecast::Buffer goodbye = remembered.member.shutdown();
    const auto view = tribecast::tribes::parse_member(goodbye);
    TC_CHECK(view && view->is_shutdown());
    TC_CHECK(tribecast::tribes::Identity::of(*view) == remembered.member.identity);
  }
  return 0;
}
