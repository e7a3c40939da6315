// Names to addresses through the hosts file and DNS (c-ares), without waiting and without
// getaddrinfo. resolv.conf and the hosts file are read anew by each round of queries.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"

namespace tribecast::io {

struct Resolution {
  std::vector<Address> addresses;  // sorted, not empty
  Duration ttl{};                  // the lowest; 30 s for an entry of the hosts file
};

// An SRV record.
struct Service {
  std::string target;  // a name, in lower case
  std::uint16_t port = 0;

  auto operator<=>(const Service&) const = default;
};

class Resolver {
 public:
  // Sorted, not empty, none twice.
  using ServiceAnswer = std::function<void(const Result<std::vector<Service>, std::string>&)>;
  // The error is a text for people: "DNS server returned answer with no data".
  using Answer = std::function<void(const Result<Resolution, std::string>&)>;

  explicit Resolver(Loop& loop);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  // Outstanding questions are dropped: their answers are not called.
  ~Resolver();

  // Asks for the IPv4 and the IPv6 addresses; an address as text resolves to itself. `answer` is
  // called once, from the loop. No socket and no timer is left when nothing is outstanding.
  void resolve(const std::string& name, Answer answer);
  // Asks DNS for SRV records, in the same way.
  void resolve_services(const std::string& name, ServiceAnswer answer);

 private:
  class Round;

  Round& open_round();
  // `tell` calls whoever asked.
  void deliver(Round& round, std::function<void()> tell);

  Loop& loop_;
  std::list<std::unique_ptr<Round>> rounds_;  // the newest last
  // Owned here alone; answers on their way through the loop hold a weak_ptr.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tribecast::io
