// Probes ports. Arguments: MILLISECONDS COUNT ENDPOINT...: each COUNT times, all at once; prints
// how many ended in each way, then how many sockets are left.
#include <array>
#include <filesystem>
#include <map>

#include "driver.h"
#include "io/port_probe.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

constexpr std::array kNames = {"accepted", "refused", "no_answer", "not_tried"};

std::ptrdiff_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.size() < 3) die("usage: netns_probe MILLISECONDS COUNT ENDPOINT...");
  const milliseconds limit(std::stol(args[0]));
  const std::vector<std::string> endpoints(args.begin() + 2, args.end());
  boost::asio::io_context loop;
  io::PortProbe prober(loop);
  const auto before = descriptors();
  std::map<std::string, std::array<unsigned, kNames.size()>> outcomes;
  for (const std::string& text : endpoints) {
    for (long i = 0; i < std::stol(args[1]); ++i) {
      prober.probe(endpoint(text), limit, [&, text](io::ProbeOutcome outcome) {
        ++outcomes[text].at(static_cast<std::size_t>(outcome));
      });
    }
  }
  if (!outcomes.empty()) die("an answer from inside the call");
  loop.run();
  for (const auto& [text, counts] : outcomes) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (counts[i] > 0) say("{} {} {}", text, kNames[i], counts[i]);
    }
  }
  say("left={} descriptors={}", prober.outstanding(), descriptors() - before);
}
