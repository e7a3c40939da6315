// Captures what this host sends to the groups, on one interface (libpcap, not promiscuous), which
// may be the loopback interface.
// Needs CAP_NET_RAW whenever it opens.
//
// Frames come at once (immediate mode). The kernel's ring is about 1 MiB and holds about 500
// frames at an MTU of 1500; what does not fit is counted by kernel_drops().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "host/capture_filter.h"
#include "io/error.h"
#include "io/loop.h"
#include "packet/datagram.h"

namespace tribecast::host {

struct Frame {
  Instant captured;
  packet::LinkType link = packet::LinkType::ethernet;
  Bytes bytes;             // from the link header on; borrowed until the callback returns
  bool truncated = false;  // it was larger than the MTU: a GSO batch
};

class PcapCapture {
 public:
  struct Handlers {
    // Must not touch the capture.
    std::function<void(const Frame&)> on_frame;
    // After the frames of a wake-up; may be empty. It, and on_failed, may close or open.
    std::function<void()> on_drained;
    // The interface went down or away. The capture is closed already. LinkMonitor tells the same,
    // surely, and when to open again.
    std::function<void(const io::OsError&)> on_failed;
  };

  // Frames handled in one wake-up.
  static constexpr int kBatch = 64;
  static constexpr std::uint32_t kRingBytes = 1 << 20;

  PcapCapture(io::Loop& loop, std::string interface, Handlers handlers);
  PcapCapture(const PcapCapture&) = delete;
  PcapCapture& operator=(const PcapCapture&) = delete;
  ~PcapCapture();

  // Opens, or opens again. `mtu_bytes` is the interface's; open again when it grows.
  io::OsResult<Done> open(std::uint32_t mtu_bytes, std::span<const CaptureTarget> targets);
  // Other targets, without a gap in the capture of those that stay.
  io::OsResult<Done> set_targets(std::span<const CaptureTarget> targets);
  void close();
  [[nodiscard]] bool is_open() const;

  [[nodiscard]] const std::string& interface() const { return interface_; }
  // Frames that the kernel dropped since construction, over all openings. Asks the kernel.
  [[nodiscard]] std::uint64_t kernel_drops();

 private:
  struct Handle;

  void on_readable();

  io::Loop& loop_;
  std::string interface_;
  Handlers handlers_;
  std::unique_ptr<Handle> handle_;
  std::uint64_t drops_before_ = 0;  // of handles that are closed
};

}  // namespace tribecast::host
