#include "host/pcap_capture.h"

#include <linux/filter.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "io/clock.h"
#include "io/readable.h"

namespace tribecast::host {
namespace {

// Room for the link header and two VLAN tags beside the MTU.
constexpr std::uint32_t kLinkHeader = 32;
constexpr std::uint32_t kLargestSnapshot = 65535 + kLinkHeader;

std::optional<packet::LinkType> link_type(int datalink) {
  switch (datalink) {
    case DLT_EN10MB:
      return packet::LinkType::ethernet;
    case DLT_LINUX_SLL:
      return packet::LinkType::linux_sll;
    case DLT_RAW:
      return packet::LinkType::raw_ip;
    default:
      return std::nullopt;
  }
}

// What to ask libpcap for, so that the kernel's ring takes about kRingBytes: it counts whole
// frames, of which as many as fit lie in each block, and a block is a power of two pages.
int buffer_size(std::uint32_t snapshot_bytes) {
  constexpr std::uint32_t kFrameHeader = 96;
  constexpr std::uint32_t kPage = 4096;
  const std::uint32_t frame = snapshot_bytes + kFrameHeader;
  const std::uint32_t block = std::max(kPage, std::bit_ceil(frame));
  return static_cast<int>(PcapCapture::kRingBytes / block * (block / frame) * frame);
}

// Linux gives this index to the loopback interface of each network namespace.
constexpr unsigned kLoopbackIndex = 1;

io::OsError pcap_error(const std::string& interface, const char* reason) {
  return {0, "capture on " + interface, reason};
}

using Pcap = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

class Program {
 public:
  Program() = default;
  Program(Program&& other) noexcept : program_(std::exchange(other.program_, {})) {}
  Program& operator=(Program&& other) noexcept {
    std::swap(program_, other.program_);
    return *this;
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { pcap_freecode(&program_); }

  bool compile(pcap_t* pcap, const std::string& text) {
    return pcap_compile(pcap, &program_, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
  }
  bpf_program* get() { return &program_; }
  [[nodiscard]] const bpf_program* get() const { return &program_; }

 private:
  bpf_program program_{};
};

// Replaces the socket's filter at once.
bool attach(pcap_t* pcap, Program& program) {
  static_assert(sizeof(bpf_insn) == sizeof(sock_filter));
  sock_fprog kernel{};
  kernel.len = static_cast<unsigned short>(program.get()->bf_len);
  kernel.filter = reinterpret_cast<sock_filter*>(program.get()->bf_insns);
  return setsockopt(pcap_fileno(pcap), SOL_SOCKET, SO_ATTACH_FILTER, &kernel, sizeof kernel) == 0;
}

}  // namespace

// An open capture. `readable` is declared last: the loop lets go before the descriptor is closed.
struct PcapCapture::Handle {
  Pcap pcap{nullptr, &pcap_close};
  packet::LinkType link = packet::LinkType::ethernet;
  Duration stamp_unit{1};
  Instant last_seen_empty;
  ClockPair now;  // of this wake-up
  std::uint32_t drops = 0;
  const Handlers* handlers = nullptr;
  // Looked at in user space: frames may be queued from before the kernel's filter was set. It
  // refuses tagged frames too: a VLAN interface sent them, on which they have no tag.
  Program wanted;
  std::unique_ptr<io::Readable> readable;

  // pcap_setfilter() would lose frames: it refuses everything for a moment, and runs the new filter
  // in user space on the next frame, where `outbound` never holds. So the direction is checked by
  // libpcap, and the filter, with the direction, goes straight to the kernel. On loopback, libpcap
  // shows frames as they come in again, never as they go out.
  std::optional<io::OsError> set_filter(const std::string& interface,
                                        std::span<const CaptureTarget> targets) {
    const bool loopback = if_nametoindex(interface.c_str()) == kLoopbackIndex;
    const std::string filter = capture_filter(targets);
    Program next;
    Program directed;
    if (!next.compile(pcap.get(), filter) ||
        !directed.compile(pcap.get(), (loopback ? "inbound and " : "outbound and ") + filter) ||
        pcap_setdirection(pcap.get(), loopback ? PCAP_D_IN : PCAP_D_OUT) != 0) {
      return pcap_error(interface, pcap_geterr(pcap.get()));
    }
    // The kernel sees cooked frames without the header that the filter is compiled for.
    if ((link == packet::LinkType::linux_sll || !attach(pcap.get(), directed)) &&
        pcap_setfilter(pcap.get(), next.get()) != 0) {
      return pcap_error(interface, pcap_geterr(pcap.get()));
    }
    wanted = std::move(next);
    return std::nullopt;
  }

  static void on_packet(unsigned char* self, const pcap_pkthdr* header,
                        const unsigned char* bytes) {
    const auto& handle = *reinterpret_cast<const Handle*>(self);
    const Duration stamp = seconds(header->ts.tv_sec) + handle.stamp_unit * header->ts.tv_usec;
    if (pcap_offline_filter(handle.wanted.get(), header, bytes) == 0) return;
    Frame frame;
    frame.captured = captured_at(handle.now, stamp, handle.last_seen_empty);
    frame.link = handle.link;
    frame.bytes = Bytes(bytes, header->caplen);
    frame.truncated = header->len > header->caplen;
    handle.handlers->on_frame(frame);
  }

  // What the kernel counted since the last question; its counter is 32 bits wide.
  std::uint32_t take_drops() {
    pcap_stat stat{};
    if (pcap_stats(pcap.get(), &stat) != 0) return 0;
    return stat.ps_drop - std::exchange(drops, stat.ps_drop);
  }
};

PcapCapture::PcapCapture(io::Loop& loop, std::string interface, Handlers handlers)
    : loop_(loop), interface_(std::move(interface)), handlers_(std::move(handlers)) {}

PcapCapture::~PcapCapture() { close(); }

bool PcapCapture::is_open() const { return handle_ != nullptr; }

io::OsResult<Done> PcapCapture::open(std::uint32_t mtu_bytes,
                                     std::span<const CaptureTarget> targets) {
  close();
  std::array<char, PCAP_ERRBUF_SIZE> reason{};
  Pcap pcap(pcap_create(interface_.c_str(), reason.data()), &pcap_close);
  if (!pcap) return Unexpected{pcap_error(interface_, reason.data())};
  const std::uint32_t snapshot = std::min(mtu_bytes + kLinkHeader, kLargestSnapshot);
  pcap_set_snaplen(pcap.get(), static_cast<int>(snapshot));
  pcap_set_promisc(pcap.get(), 0);
  pcap_set_immediate_mode(pcap.get(), 1);
  pcap_set_buffer_size(pcap.get(), buffer_size(snapshot));
  pcap_set_tstamp_precision(pcap.get(), PCAP_TSTAMP_PRECISION_NANO);
  const Instant before = io::now();
  if (const int status = pcap_activate(pcap.get()); status < 0) {
    const std::string detail = pcap_geterr(pcap.get());
    return Unexpected{
        pcap_error(interface_, detail.empty() ? pcap_statustostr(status) : detail.c_str())};
  }
  const auto link = link_type(pcap_datalink(pcap.get()));
  if (!link) {
    return Unexpected{pcap_error(interface_, "its link layer is neither Ethernet nor plain IP")};
  }
  if (pcap_setnonblock(pcap.get(), 1, reason.data()) != 0) {
    return Unexpected{pcap_error(interface_, reason.data())};
  }
  const int fd = pcap_get_selectable_fd(pcap.get());
  const bool nanoseconds = pcap_get_tstamp_precision(pcap.get()) == PCAP_TSTAMP_PRECISION_NANO;
  auto handle = std::make_unique<Handle>();
  handle->link = *link;
  handle->last_seen_empty = before;
  handle->handlers = &handlers_;
  handle->stamp_unit = nanoseconds ? Duration(1) : Duration(1000);
  handle->pcap = std::move(pcap);
  if (auto error = handle->set_filter(interface_, targets)) return Unexpected{*error};
  handle->readable = std::make_unique<io::Readable>(loop_, fd, [this] { on_readable(); });
  handle_ = std::move(handle);
  return Done{};
}

io::OsResult<Done> PcapCapture::set_targets(std::span<const CaptureTarget> targets) {
  if (!handle_) return Unexpected{pcap_error(interface_, "is not open")};
  if (auto error = handle_->set_filter(interface_, targets)) return Unexpected{*error};
  return Done{};
}

void PcapCapture::close() {
  if (!handle_) return;
  drops_before_ = kernel_drops();
  handle_.reset();
}

std::uint64_t PcapCapture::kernel_drops() {
  if (handle_) drops_before_ += handle_->take_drops();
  return drops_before_;
}

void PcapCapture::on_readable() {
  handle_->now = {io::now(), io::wall_clock()};
  // libpcap swallows ENETDOWN in the hope that the interface comes back.
  int down = 0;
  socklen_t size = sizeof down;
  getsockopt(pcap_fileno(handle_->pcap.get()), SOL_SOCKET, SO_ERROR, &down, &size);
  const int n = pcap_dispatch(handle_->pcap.get(), kBatch, &Handle::on_packet,
                              reinterpret_cast<unsigned char*>(handle_.get()));
  if (n >= 0 && n < kBatch) handle_->last_seen_empty = handle_->now.monotonic;
  std::optional<io::OsError> error;
  if (n < 0 || down != 0) {
    error = io::OsError{down, "capture on " + interface_, {}};
    if (n < 0) error->reason = pcap_geterr(handle_->pcap.get());
    close();
  }
  // The callback may close, or open again: the handle is not touched after it.
  if (n != 0 && handlers_.on_drained) handlers_.on_drained();
  if (error && handlers_.on_failed) handlers_.on_failed(*error);
}

}  // namespace tribecast::host
