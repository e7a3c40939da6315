#include "io/port_probe.h"

#include <ifaddrs.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <list>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "io/fd.h"
#include "io/readable.h"
#include "io/sockaddr.h"

namespace tribecast::io {
namespace {

// Connected, and to somebody else: with nobody listening, a connection to an ephemeral port of this
// host may meet itself (simultaneous open).
std::optional<ProbeOutcome> connected(int fd) {
  if (!remote_name(fd)) return std::nullopt;
  return meets_itself(fd) ? ProbeOutcome::refused : ProbeOutcome::accepted;
}

union Control {
  cmsghdr align;
  std::array<std::uint8_t, 256> bytes;
};

template <class T>
T value_at(Bytes bytes, std::size_t offset) {
  T value{};
  const Bytes raw = bytes.subspan(std::min(offset, bytes.size()));
  std::ranges::copy(raw.first(std::min(raw.size(), sizeof value)),
                    reinterpret_cast<std::uint8_t*>(&value));
  return value;
}

std::optional<Address> address_of(const sockaddr* raw) {
  if (raw == nullptr) return std::nullopt;
  if (raw->sa_family == AF_INET) return from(reinterpret_cast<const sockaddr_in*>(raw)->sin_addr);
  if (raw->sa_family != AF_INET6) return std::nullopt;
  return from(reinterpret_cast<const sockaddr_in6*>(raw)->sin6_addr);
}

// What ICMP said, if it did: the socket's error queue (IP_RECVERR).
std::optional<IcmpError> take_icmp(int fd, const Address& local) {
  std::array<std::uint8_t, 1> nothing{};
  iovec vector{nothing.data(), nothing.size()};
  Control control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  const cmsghdr* c = CMSG_FIRSTHDR(&message);
  if (c == nullptr || c->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) return std::nullopt;
  const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
  const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
  if (!v4 && !v6) return std::nullopt;
  const Bytes data(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
  const auto error = value_at<sock_extended_err>(data, 0);
  // The sender of the message follows.
  const auto sender = value_at<sockaddr_in6>(data, sizeof error);
  IcmpError icmp;
  icmp.from_self = address_of(reinterpret_cast<const sockaddr*>(&sender)) == local;
  icmp.host_unreachable =
      v4 ? error.ee_type == ICMP_DEST_UNREACH && error.ee_code == ICMP_HOST_UNREACH
         : error.ee_type == ICMP6_DST_UNREACH && error.ee_code == ICMP6_DST_UNREACH_ADDR;
  return icmp;
}

// Whether the address is on an interface that can send: without a carrier the kernel drops what is
// sent and tells nobody. IFF_LOWER_UP (<linux/if.h>, which <net/if.h> does not go with) is the
// carrier itself; IFF_RUNNING follows up to a second later.
bool on_working_interface(const Address& address) {
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(raw, &freeifaddrs);
  constexpr unsigned kLowerUp = 1U << 16U;
  constexpr unsigned kWorks = IFF_UP | IFF_RUNNING | kLowerUp;
  for (const ifaddrs* i = all.get(); i != nullptr; i = i->ifa_next) {
    if ((i->ifa_flags & kWorks) == kWorks && address_of(i->ifa_addr) == address) return true;
  }
  return false;
}

// Silence is the other side's only when this side could have heard it.
ProbeOutcome no_answer_to(const Address& local) {
  return on_working_interface(local) ? ProbeOutcome::no_answer : ProbeOutcome::not_tried;
}

// nullopt: on its way.
std::optional<ProbeOutcome> outcome_of(int fd, const Address& local) {
  const int error = take_error(fd);
  if (error == 0) {
    if (const auto outcome = connected(fd)) return outcome;
  }
  // An ICMP message that comes while connect() still runs is only found here.
  const auto icmp = take_icmp(fd, local);
  if (error == 0 && !icmp) return std::nullopt;
  const ProbeOutcome outcome = probe_outcome(error, icmp);
  return outcome == ProbeOutcome::no_answer ? no_answer_to(local) : outcome;
}

}  // namespace

ProbeOutcome probe_outcome(int error, const std::optional<IcmpError>& icmp) {
  if (icmp) {
    const bool own_filter = icmp->from_self && !icmp->host_unreachable;
    return own_filter ? ProbeOutcome::not_tried : ProbeOutcome::no_answer;
  }
  switch (error) {
    case ECONNREFUSED:
      return ProbeOutcome::refused;
    case ECONNRESET:  // accepted, then reset before it was looked at
    case EPIPE:
      return ProbeOutcome::accepted;
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
      return ProbeOutcome::no_answer;
    default:
      return ProbeOutcome::not_tried;
  }
}

struct PortProbe::Attempt {
  Fd fd;
  Address local;  // which a failed socket may forget
  std::unique_ptr<Readable> writable;
};

struct PortProbe::Probe {
  Endpoint remote;
  Answer answer;
  Instant deadline;
  Duration spacing{};
  Instant next_attempt;
  std::list<Attempt> attempts;
};

PortProbe::PortProbe(Loop& loop) : loop_(loop), timer_(loop, [this] { on_timer(); }) {}

PortProbe::~PortProbe() = default;

void PortProbe::probe(const Endpoint& remote, Duration limit, Answer answer) {
  // The kernel takes the wildcard for this host.
  if (probes_.size() >= kMaxProbes || remote.address.is_unspecified() || remote.port == 0) {
    return answer_later(std::move(answer), ProbeOutcome::not_tried);
  }
  const Instant now = io::now();
  const Duration spacing = std::max(limit / static_cast<int>(kAttempts), Duration(milliseconds(1)));
  auto probe = std::make_unique<Probe>(
      Probe{remote, std::move(answer), now + limit, spacing, now + spacing, {}});
  const Id id = next_id_++;
  if (const auto outcome = begin_attempt(id, *probe)) {
    return answer_later(std::move(probe->answer), *outcome);
  }
  probes_.emplace(id, std::move(probe));
  arm();
}

// The outcome, when connect() knows it at once.
std::optional<ProbeOutcome> PortProbe::begin_attempt(Id id, Probe& probe) {
  const bool v4 = probe.remote.address.is_v4();
  Fd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ProbeOutcome::not_tried;
  const int on = 1;
  // What fails here is only the difference between a filter's refusal and the other host's.
  static_cast<void>(v4 ? setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on)
                       : setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on));
  const SockAddr remote(probe.remote);
  if (::connect(fd.get(), remote.get(), remote.size()) == 0) {
    return connected(fd.get()).value_or(ProbeOutcome::accepted);
  }
  // On the same machine the answer may come before connect() returns.
  if (errno == ECONNREFUSED) return ProbeOutcome::refused;
  if (errno != EINPROGRESS) return ProbeOutcome::not_tried;
  Attempt& attempt = probe.attempts.emplace_back();
  attempt.fd = std::move(fd);
  attempt.local = local_name(attempt.fd.get()).value_or(Endpoint{}).address;
  attempt.writable = std::make_unique<Readable>(
      loop_, attempt.fd.get(), [this, id, &attempt] { on_ready(id, attempt); },
      Readable::Direction::write);
  ++sockets_;
  return std::nullopt;
}

void PortProbe::on_ready(Id id, const Attempt& attempt) {
  if (const auto outcome = outcome_of(attempt.fd.get(), attempt.local)) finish(id, *outcome);
}

void PortProbe::on_timer() {
  const Instant now = io::now();
  std::vector<Id> due;
  for (const auto& [id, probe] : probes_) {
    if (std::min(probe->deadline, probe->next_attempt) <= now) due.push_back(id);
  }
  // An answer may begin probes, but ends none.
  for (const Id id : due) on_time(id, now);
  arm();
}

void PortProbe::on_time(Id id, Instant now) {
  Probe& probe = *probes_.at(id);
  if (now >= probe.deadline) return finish(id, last_look(probe));
  const bool last = probe.attempts.size() + 1 >= kAttempts;
  probe.next_attempt = last ? kNever : probe.next_attempt + probe.spacing;
  if (sockets_ >= kMaxProbes) return;
  // What keeps this one from being tried does not end the one that is on its way.
  const auto outcome = begin_attempt(id, probe);
  if (outcome && *outcome != ProbeOutcome::not_tried) finish(id, *outcome);
}

// At the end of its time; what came while this process was not running counts.
ProbeOutcome PortProbe::last_look(const Probe& probe) {
  for (const Attempt& attempt : probe.attempts) {
    if (const auto outcome = outcome_of(attempt.fd.get(), attempt.local)) return *outcome;
  }
  return no_answer_to(probe.attempts.front().local);
}

void PortProbe::arm() {
  Instant next = kNever;
  for (const auto& [id, probe] : probes_) {
    next = std::min({next, probe->deadline, probe->next_attempt});
  }
  timer_.arm(next);
}

void PortProbe::finish(Id id, ProbeOutcome outcome) {
  auto ended = probes_.extract(id);
  sockets_ -= ended.mapped()->attempts.size();
  const Answer answer = std::move(ended.mapped()->answer);
  ended.mapped().reset();
  if (probes_.empty()) timer_.arm(kNever);
  answer(outcome);
}

void PortProbe::answer_later(Answer answer, ProbeOutcome outcome) {
  boost::asio::post(loop_, [alive = std::weak_ptr(alive_), answer = std::move(answer), outcome] {
    if (!alive.expired()) answer(outcome);
  });
}

}  // namespace tribecast::io
