// Follows the host's links: prints every change, and the interface of the route for each GROUP.
#include "driver.h"
#include "host/link_monitor.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

void print(host::LinkMonitor& monitor, const std::vector<std::string>& groups) {
  for (const host::Interface& i : monitor.view().interfaces) {
    std::string addresses;
    for (const Address& a : i.addresses) addresses += " " + a.to_string();
    say("link {} {} {} mtu={}{}", i.index, i.name, i.up ? "up" : "down", i.mtu_bytes, addresses);
  }
  for (const std::string& group : groups) {
    const auto route = monitor.route_interface(address(group));
    const host::Interface* i = route ? monitor.view().find(route->index) : nullptr;
    say("route {} {}{}", group, i == nullptr ? "none" : i->name,
        route && route->loopback ? " loopback" : "");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto groups = arguments(argc, argv);
  boost::asio::io_context loop;
  std::unique_ptr<host::LinkMonitor> monitor;
  monitor = need(host::LinkMonitor::open(loop, [&](const host::HostChange& change) {
    std::string touched;
    for (const int i : change.touched) touched += " " + std::to_string(i);
    say("change{}{} touched{}", change.links ? " links" : "", change.routes ? " routes" : "",
        touched);
    print(*monitor, groups);
  }));
  print(*monitor, groups);
  say("ready");
  run(loop);
}
