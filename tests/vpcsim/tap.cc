#include "vpcsim/tap.h"

namespace tribecast::vpcsim {
namespace {

constexpr int kSnapshot = 65535;

}  // namespace

io::OsResult<std::unique_ptr<Tap>> Tap::open(const std::string& path) {
  pcap_t* pcap =
      pcap_open_dead_with_tstamp_precision(DLT_RAW, kSnapshot, PCAP_TSTAMP_PRECISION_NANO);
  if (pcap == nullptr) return Unexpected{io::OsError{0, "tap " + path, "out of memory"}};
  pcap_dumper_t* dumper = pcap_dump_open(pcap, path.c_str());
  if (dumper == nullptr) {
    const io::OsError error{0, "tap " + path, pcap_geterr(pcap)};
    pcap_close(pcap);
    return Unexpected{error};
  }
  return std::unique_ptr<Tap>(new Tap(pcap, dumper));
}

Tap::~Tap() {
  pcap_dump_close(dumper_);
  pcap_close(pcap_);
}

void Tap::write(Duration stamp, Bytes packet) {
  pcap_pkthdr header{};
  header.ts.tv_sec = duration_cast<seconds>(stamp).count();
  header.ts.tv_usec = (stamp % seconds(1)).count();
  header.caplen = static_cast<bpf_u_int32>(packet.size());
  header.len = header.caplen;
  pcap_dump(reinterpret_cast<unsigned char*>(dumper_), &header, packet.data());
}

bool Tap::flush() { return pcap_dump_flush(dumper_) == 0; }

}  // namespace tribecast::vpcsim
