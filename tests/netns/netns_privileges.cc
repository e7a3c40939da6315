// Drops its privileges and prints who it became and what it still can. Arguments: USER...
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "driver.h"
#include "host/pcap_capture.h"
#include "host/privileges.h"
#include "io/fd.h"

using namespace tribecast;
using namespace tribecast::netns;

int main(int argc, char** argv) {
  const auto users = arguments(argc, argv);
  const auto identity = need(host::drop_privileges(users));
  say("user={} uid={} gid={}", identity.user, identity.uid, identity.gid);
  say("warning={}", identity.warning);
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Cap") || line.starts_with("NoNew") || line.starts_with("Groups") ||
        line.starts_with("Uid")) {
      say("{}", line);
    }
  }
  boost::asio::io_context loop;
  host::PcapCapture capture(loop, "lo", {[](const host::Frame&) {}, {}, {}});
  const auto opened = capture.open(65536, {});
  say("capture {}", opened ? "works" : opened.error().message());
  const io::Fd raw(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
  say("raw socket {}", raw ? "works" : "fails");
  const io::Fd shadow(open("/etc/shadow", O_RDONLY));
  say("shadow file {}", shadow ? "readable" : "closed");
}

// Not being dumpable, the process cannot be examined by the leak checker.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
