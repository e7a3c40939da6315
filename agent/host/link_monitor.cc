#include "host/link_monitor.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>

#include <algorithm>
#include <utility>

#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/readable.h"

namespace tribecast::host {
namespace {

// Between two callbacks for routes alone: a host may learn thousands of routes at once.
constexpr Duration kRouteQuiet = milliseconds(100);
constexpr Duration kRetry = milliseconds(100);
constexpr int kMessagesPerTurn = 1024;
constexpr int kReceiveBuffer = 1 << 20;
constexpr std::size_t kMessageBuffer = 32768;
constexpr int kDumpAttempts = 5;  // a dump that changes while it is read is read again

using Socket = std::unique_ptr<nl_sock, decltype(&nl_socket_free)>;
using Message = std::unique_ptr<nl_msg, decltype(&nlmsg_free)>;
using Cache = std::unique_ptr<nl_cache, decltype(&nl_cache_free)>;

io::OsError netlink_error(const std::string& what, int error) {
  return {0, "netlink: " + what, nl_geterror(error)};
}

template <class Allocate>
Cache dump(Allocate&& allocate) {
  nl_cache* raw = nullptr;
  int error = -NLE_DUMP_INTR;
  for (int i = 0; i < kDumpAttempts && error == -NLE_DUMP_INTR; ++i) error = allocate(&raw);
  return {error < 0 ? nullptr : raw, &nl_cache_free};
}

template <class Object, class Visit>
void for_each(nl_cache* cache, Visit&& visit) {
  for (nl_object* o = nl_cache_get_first(cache); o != nullptr; o = nl_cache_get_next(o)) {
    visit(reinterpret_cast<Object*>(o));
  }
}

Interface interface_of(rtnl_link* link) {
  Interface i;
  i.index = rtnl_link_get_ifindex(link);
  const char* name = rtnl_link_get_name(link);
  i.name = name == nullptr ? "" : name;
  const unsigned flags = rtnl_link_get_flags(link);
  i.up = (flags & IFF_UP) != 0;
  i.carrier = (flags & IFF_RUNNING) != 0;
  i.loopback = (flags & IFF_LOOPBACK) != 0;
  i.multicast = (flags & IFF_MULTICAST) != 0;
  i.mtu_bytes = rtnl_link_get_mtu(link);
  return i;
}

std::optional<Address> address_of(rtnl_addr* entry) {
  nl_addr* local = rtnl_addr_get_local(entry);
  if (local == nullptr) return std::nullopt;
  const auto* raw = static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(local));
  return Address::from_bytes(Bytes(raw, nl_addr_get_len(local)));
}

std::optional<HostView> read_view(nl_sock* socket) {
  const Cache links =
      dump([&](nl_cache** c) { return rtnl_link_alloc_cache(socket, AF_UNSPEC, c); });
  const Cache addresses = dump([&](nl_cache** c) { return rtnl_addr_alloc_cache(socket, c); });
  if (!links || !addresses) return std::nullopt;
  HostView view;
  for_each<rtnl_link>(links.get(),
                      [&](rtnl_link* l) { view.interfaces.push_back(interface_of(l)); });
  std::ranges::sort(view.interfaces, {}, &Interface::index);
  for_each<rtnl_addr>(addresses.get(), [&](rtnl_addr* a) {
    const auto address = address_of(a);
    const auto on = std::ranges::find(view.interfaces, rtnl_addr_get_ifindex(a), &Interface::index);
    if (address && on != view.interfaces.end()) on->addresses.push_back(*address);
  });
  for (Interface& i : view.interfaces) std::ranges::sort(i.addresses);
  return view;
}

int find_oif(nl_msg* message, void* out) {
  nlattr* oif = nlmsg_find_attr(nlmsg_hdr(message), sizeof(rtmsg), RTA_OIF);
  if (oif != nullptr) *static_cast<int*>(out) = static_cast<int>(nla_get_u32(oif));
  return NL_OK;
}

}  // namespace

const Interface* HostView::find(int index) const {
  const auto found = std::ranges::find(interfaces, index, &Interface::index);
  return found == interfaces.end() ? nullptr : &*found;
}

const Interface* HostView::find(std::string_view name) const {
  const auto found = std::ranges::find(interfaces, name, &Interface::name);
  return found == interfaces.end() ? nullptr : &*found;
}

bool HostView::is_local(const Address& address) const {
  if (address.is_loopback()) return true;
  return std::ranges::any_of(interfaces, [&](const Interface& i) {
    return std::ranges::binary_search(i.addresses, address);
  });
}

struct LinkMonitor::Impl {
  Impl(io::Loop& l, Changed callback)
      : loop(l), changed(std::move(callback)), timer(l, [this] { on_timer(); }) {}

  io::OsResult<Done> start();
  std::optional<io::OsError> subscribe();
  static int on_message(nl_msg* message, void* self);
  void note(const nlmsghdr& header);
  void touch(int interface);
  void receive();
  void handle();
  void on_timer();
  void rebuild();
  void lose_track();

  io::Loop& loop;
  Changed changed;
  HostView view;
  HostChange change;   // not yet told
  bool stale = false;  // the last rebuild failed
  Instant routes_told = Instant::min();
  Socket events{nullptr, &nl_socket_free};
  Socket queries{nullptr, &nl_socket_free};
  io::DeadlineTimer timer;
  std::unique_ptr<io::Readable> readable;
};

std::optional<io::OsError> LinkMonitor::Impl::subscribe() {
  events.reset(nl_socket_alloc());
  queries.reset(nl_socket_alloc());
  if (!events || !queries) return io::OsError{ENOMEM, "netlink", {}};
  nl_socket_disable_seq_check(events.get());
  // Each query gets an answer or an error; an acknowledgement after the answer would stay unread.
  nl_socket_disable_auto_ack(queries.get());
  nl_socket_modify_cb(events.get(), NL_CB_VALID, NL_CB_CUSTOM, &Impl::on_message, this);
  if (const int error = nl_connect(events.get(), NETLINK_ROUTE); error < 0) {
    return netlink_error("connect", error);
  }
  if (const int error = nl_connect(queries.get(), NETLINK_ROUTE); error < 0) {
    return netlink_error("connect", error);
  }
  // What does not fit is told by ENOBUFS, upon which everything is read anew.
  nl_socket_set_buffer_size(events.get(), kReceiveBuffer, 0);
  nl_socket_set_msg_buf_size(events.get(), kMessageBuffer);
  const int error =
      nl_socket_add_memberships(events.get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
                                RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, 0);
  if (error < 0) return netlink_error("subscribe", error);
  nl_socket_set_nonblocking(events.get());
  return std::nullopt;
}

io::OsResult<Done> LinkMonitor::Impl::start() {
  if (auto error = subscribe()) return Unexpected{*error};
  auto first = read_view(queries.get());
  if (!first) return Unexpected{io::OsError{0, "netlink", "interfaces cannot be read"}};
  view = std::move(*first);
  readable = std::make_unique<io::Readable>(loop, nl_socket_get_fd(events.get()), [this] {
    receive();
    handle();
  });
  return Done{};
}

int LinkMonitor::Impl::on_message(nl_msg* message, void* self) {
  static_cast<Impl*>(self)->note(*nlmsg_hdr(message));
  return NL_OK;
}

void LinkMonitor::Impl::note(const nlmsghdr& header) {
  switch (header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      if (nlmsg_datalen(&header) < static_cast<int>(sizeof(ifinfomsg))) return;
      const auto* link = static_cast<const ifinfomsg*>(nlmsg_data(&header));
      if (link->ifi_family == AF_UNSPEC) touch(link->ifi_index);  // else a bridge port's state
      return;
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      if (nlmsg_datalen(&header) < static_cast<int>(sizeof(ifaddrmsg))) return;
      touch(static_cast<int>(static_cast<const ifaddrmsg*>(nlmsg_data(&header))->ifa_index));
      return;
    }
    default:
      change.routes = true;
  }
}

void LinkMonitor::Impl::touch(int interface) {
  change.links = true;
  change.routes = true;
  if (std::ranges::find(change.touched, interface) == change.touched.end()) {
    change.touched.push_back(interface);
  }
}

void LinkMonitor::Impl::lose_track() {
  for (const Interface& i : view.interfaces) touch(i.index);
  change.links = true;
  change.routes = true;
}

// Reads what waits; one message a call of libnl.
void LinkMonitor::Impl::receive() {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    const int error = nl_recvmsgs_default(events.get());
    if (error == -NLE_AGAIN) return;
    if (error < 0) {
      lose_track();
      // NOMEM is ENOBUFS: reading goes on. Anything else may last.
      if (error != -NLE_NOMEM) return;
    }
  }
}

void LinkMonitor::Impl::handle() {
  if (change.links || stale) {
    rebuild();
  } else if (!change.routes) {
    return;
  }
  const Instant now = io::now();
  if (!change.links && routes_told != Instant::min() && now < routes_told + kRouteQuiet) {
    timer.arm(routes_told + kRouteQuiet);
    return;
  }
  routes_told = now;
  const HostChange told = std::exchange(change, {});
  changed(told);
}

void LinkMonitor::Impl::rebuild() {
  auto next = read_view(queries.get());
  stale = !next;
  if (stale) {
    timer.arm(io::now() + kRetry);
    return;
  }
  const HostView before = std::exchange(view, std::move(*next));
  // Notifications that were lost may have been about interfaces that came meanwhile.
  for (const Interface& i : view.interfaces) {
    const Interface* old = before.find(i.index);
    if (old == nullptr || *old != i) touch(i.index);
  }
}

void LinkMonitor::Impl::on_timer() { handle(); }

io::OsResult<std::unique_ptr<LinkMonitor>> LinkMonitor::open(io::Loop& loop, Changed changed) {
  auto impl = std::make_unique<Impl>(loop, std::move(changed));
  if (const auto started = impl->start(); !started) return Unexpected{started.error()};
  return std::unique_ptr<LinkMonitor>(new LinkMonitor(std::move(impl)));
}

LinkMonitor::LinkMonitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LinkMonitor::~LinkMonitor() = default;

const HostView& LinkMonitor::view() const { return impl_->view; }

void LinkMonitor::drain() {
  impl_->receive();
  impl_->handle();
}

std::optional<RouteInterface> LinkMonitor::route_interface(const Address& group) {
  if (!group.is_v4()) return std::nullopt;
  const Message request(nlmsg_alloc_simple(RTM_GETROUTE, 0), &nlmsg_free);
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  const Bytes raw = group.bytes();
  int interface = 0;
  nl_sock* socket = impl_->queries.get();
  if (!request || nlmsg_append(request.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0 ||
      nla_put(request.get(), RTA_DST, static_cast<int>(raw.size()), raw.data()) < 0 ||
      nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, &find_oif, &interface) < 0 ||
      nl_send_auto(socket, request.get()) < 0) {
    return std::nullopt;
  }
  const int error = nl_recvmsgs_default(socket);
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, nullptr, nullptr);
  if (error < 0 || interface == 0) return std::nullopt;
  const Interface* found = impl_->view.find(interface);
  return RouteInterface{interface, found != nullptr && found->loopback};
}

}  // namespace tribecast::host
