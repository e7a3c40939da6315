// A pcap file of what is delivered: raw IP, nanosecond stamps. Each batch is flushed.
#pragma once

#include <pcap/pcap.h>

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "io/error.h"

namespace tribecast::vpcsim {

class Tap {
 public:
  static io::OsResult<std::unique_ptr<Tap>> open(const std::string& path);
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;
  ~Tap();

  // `stamp`: wall clock time.
  void write(Duration stamp, Bytes packet);
  // False when the file could not be written.
  bool flush();

 private:
  Tap(pcap_t* pcap, pcap_dumper_t* dumper) : pcap_(pcap), dumper_(dumper) {}

  pcap_t* pcap_;
  pcap_dumper_t* dumper_;
};

}  // namespace tribecast::vpcsim
