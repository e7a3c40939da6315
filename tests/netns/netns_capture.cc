// Captures on interfaces and prints a line a frame. Arguments: IF[,IF] GROUP:PORT...
// On SIGHUP the targets become none.
#include "driver.h"
#include "host/link_monitor.h"
#include "host/pcap_capture.h"
#include "io/clock.h"
#include "packet/datagram.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

void print(const std::string& interface, const host::Frame& frame) {
  const double age = to_seconds(io::now() - frame.captured);
  if (frame.truncated) {
    say("frame {} truncated {}", interface, frame.bytes.size());
    return;
  }
  const auto packet = packet::parse_frame(frame.link, frame.bytes);
  if (!packet) {
    say("frame {} {}", interface, name_of(packet.error()));
    return;
  }
  say("frame {} {} > {} ttl={} offset={} bytes={} age_us={:.0f}", interface,
      packet->source.to_string(), packet->destination.to_string(), packet->ttl_hops,
      packet->fragment_offset, packet->body.size(), age * 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.size() < 2) die("usage: netns_capture IF GROUP:PORT...");
  boost::asio::io_context loop;
  std::vector<host::CaptureTarget> targets;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const Endpoint e = endpoint(args[i]);
    targets.push_back({e.address, e.port});
  }
  const auto monitor = need(host::LinkMonitor::open(loop, [](const host::HostChange&) {}));
  const std::string& name = args[0];
  host::PcapCapture capture(loop, name,
                            {[&](const host::Frame& f) { print(name, f); },
                             {},
                             [&](const io::OsError& e) { say("failed: {}", e.message()); }});
  const host::Interface* interface = monitor->view().find(name);
  if (interface == nullptr) die("no interface " + name);
  need(capture.open(interface->mtu_bytes, targets));
  boost::asio::signal_set hangup(loop, SIGHUP);
  hangup.async_wait([&](boost::system::error_code, int) {
    need(capture.set_targets({}));
    say("targets none");
  });
  say("ready");
  run(loop);
  say("drops {}", capture.kernel_drops());
}
