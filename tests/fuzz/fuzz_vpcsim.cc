// vpcsim's commands and packets. The input is lines of commands, an empty line, then packets: a
// byte that names the sender, two of length, the packet. Every packet is decided as it has to be:
// at most two copies, none where there is a reason, none in the past, and counted.
#include <string>
#include <type_traits>
#include <variant>

#include "base/check.h"
#include "vpcsim/model.h"
#include "vpcsim/report.h"

namespace {

using namespace tribecast;
using namespace tribecast::vpcsim;

constexpr Instant kNow{seconds(1000)};
constexpr std::size_t kMostPackets = 64;

std::vector<Host> hosts() {
  const auto own = [](std::uint32_t last) {
    return std::vector{Prefix{Address::v4(0x0a530000U + last), 24}};
  };
  return {{"a", own(1), false}, {"b", own(2), false}, {"c", own(3), false}, {"w", own(254), true}};
}

void carry_out(Model& model, const Command& command) {
  std::visit(
      [&](const auto& c) {
        using T = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<T, Set> || std::is_same_v<T, Rule>) {
          const auto done = model.apply(c);
          TC_CHECK(done || !done.error().empty());
        } else if constexpr (std::is_same_v<T, Counters>) {
          TC_CHECK(counters_json(model, 0).starts_with('{'));
        } else if constexpr (!std::is_same_v<T, Quit>) {
          model.apply(c);
        }
      },
      command);
}

void tell(Model& model, std::string_view line) {
  static const std::vector<std::string> kNames = {"a", "b", "c", "w"};
  const auto parsed = parse_command(line, kNames);
  if (parsed) {
    carry_out(model, *parsed);
  } else {
    TC_CHECK(!parsed.error().empty());
  }
  const auto host = parse_host(line);
  if (host) TC_CHECK(!host->addresses.empty() && !host->name.empty());
}

void carry(Model& model, HostId from, Bytes bytes) {
  Buffer packet = copy_of(bytes);
  const Verdict verdict = model.on_packet(kNow, from, packet);
  TC_CHECK(packet.size() == bytes.size());
  TC_CHECK(verdict.drop.has_value() == (verdict.copies == 0));
  TC_CHECK(verdict.copies <= verdict.at.size());
  if (verdict.drop) return;
  TC_CHECK(same(Bytes(packet).first(20), bytes.first(20)));
  TC_CHECK(model.counters(from, verdict.to).received > 0);
  for (std::size_t i = 0; i < verdict.copies; ++i) TC_CHECK(verdict.at.at(i) >= kNow);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  Model model(hosts(), 1);
  std::string_view text = view_of(input);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) break;
    tell(model, line);
  }
  ByteReader in(bytes_of(text));
  for (std::size_t i = 0; i < kMostPackets && in.left() >= 3; ++i) {
    const HostId from = in.u8() % model.hosts().size();
    carry(model, from, in.take(std::min<std::size_t>(in.u16be(), in.left())));
  }
  return 0;
}
