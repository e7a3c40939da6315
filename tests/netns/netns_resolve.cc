// Keeps names resolved. Arguments: NAME... Prints every change; on SIGHUP the state of each name.
#include "driver.h"
#include "io/clock.h"
#include "io/name_table.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

std::string joined(const std::vector<Address>& addresses) {
  std::string text;
  for (const Address& a : addresses) text += " " + a.to_string();
  return text;
}

void print(const io::NameTable& table, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const io::NameState* state = table.find(name);
    if (state == nullptr) continue;
    say("state {}{} failures={} error={}", name, joined(state->addresses), state->failures,
        state->error);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto names = arguments(argc, argv);
  boost::asio::io_context loop;
  io::NameTable table(
      loop, [](MutableBytes out) { std::ranges::fill(out, std::uint8_t{0}); },
      [](const std::string& name, const std::vector<Address>& addresses) {
        say("changed {}{}", name, joined(addresses));
      });
  for (const std::string& name : names) table.add(name);
  boost::asio::signal_set hangup(loop, SIGHUP);
  const std::function<void()> wait = [&] {
    hangup.async_wait([&](boost::system::error_code error, int) {
      if (error) return;
      print(table, names);
      wait();
    });
  };
  wait();
  say("ready");
  run(loop);
}
