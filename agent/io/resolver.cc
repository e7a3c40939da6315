#include "io/resolver.h"

#include <ares.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <optional>
#include <utility>

#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/readable.h"
#include "io/sockaddr.h"

namespace tribecast::io {
namespace {

constexpr Duration kHostsFileTtl = seconds(30);
// Questions that come within this time share one reading of resolv.conf.
constexpr Duration kRoundOpen = seconds(2);
constexpr int kTimeoutMs = 2000;
constexpr int kTries = 2;
constexpr int kClassIn = 1;   // RFC 1035, 3.2.4
constexpr int kTypeSrv = 33;  // RFC 2782

std::optional<Address> address_of(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET && node.ai_addrlen >= sizeof(sockaddr_in)) {
    return from(reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr);
  }
  if (node.ai_family == AF_INET6 && node.ai_addrlen >= sizeof(sockaddr_in6)) {
    return from(reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr);
  }
  return std::nullopt;
}

Resolution resolution_of(const ares_addrinfo& info) {
  Resolution r;
  r.ttl = Duration::max();
  for (const ares_addrinfo_node* n = info.nodes; n != nullptr; n = n->ai_next) {
    const auto address = address_of(*n);
    if (!address) continue;
    r.addresses.push_back(*address);
    r.ttl = std::min<Duration>(r.ttl, seconds(std::max(n->ai_ttl, 0)));
  }
  std::ranges::sort(r.addresses);
  // Not std::ranges::unique: clang 14 refuses the subrange that libstdc++ 12 returns.
  r.addresses.erase(std::unique(r.addresses.begin(), r.addresses.end()), r.addresses.end());
  return r;
}

Result<std::vector<Service>, std::string> services_of(const unsigned char* reply, int size) {
  ares_srv_reply* raw = nullptr;
  const int status = ares_parse_srv_reply(reply, size, &raw);
  const std::unique_ptr<ares_srv_reply, decltype(&ares_free_data)> records(raw, &ares_free_data);
  if (status != ARES_SUCCESS) return Unexpected{std::string(ares_strerror(status))};
  std::vector<Service> services;
  for (const ares_srv_reply* r = records.get(); r != nullptr; r = r->next) {
    Service service{r->host, r->port};
    for (char& c : service.target) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (service.target.ends_with('.')) service.target.pop_back();
    // "." says that there is no such service.
    if (!service.target.empty() && service.port != 0) services.push_back(std::move(service));
  }
  if (services.empty()) return Unexpected{std::string(ares_strerror(ARES_ENODATA))};
  std::ranges::sort(services);
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

}  // namespace

// Questions that share one pair of c-ares channels: one reads the hosts file, one asks DNS.
class Resolver::Round {
 public:
  explicit Round(Resolver& resolver)
      : resolver_(resolver), opened_(now()), timer_(resolver.loop_, [this] { on_timer(); }) {
    char files[] = "f";
    char dns[] = "b";
    usable_ = open(files_, files) && open(dns_, dns);
  }

  ~Round() {
    closing_ = true;
    if (files_ != nullptr) ares_destroy(files_);
    if (dns_ != nullptr) ares_destroy(dns_);
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  [[nodiscard]] bool is_open() const { return now() - opened_ < kRoundOpen; }
  [[nodiscard]] bool is_over() const { return outstanding_ == 0; }
  void answer_delivered() { --outstanding_; }

  void ask(const std::string& name, Answer answer) {
    ++outstanding_;
    if (!usable_) return tell(std::move(answer), Unexpected{std::string(kUnusable)});
    query(files_, new Question{*this, name, std::move(answer), true});
  }

  void ask_services(const std::string& name, ServiceAnswer answer) {
    ++outstanding_;
    if (!usable_) return tell(std::move(answer), Unexpected{std::string(kUnusable)});
    ares_query(dns_, name.c_str(), kClassIn, kTypeSrv, &Round::on_services,
               new ServiceQuestion{*this, std::move(answer)});
    arm();
  }

 private:
  static constexpr const char* kUnusable = "the resolver could not be initialised";

  // Owned by c-ares from query() until it calls on_answer(), which it does exactly once.
  struct Question {
    Round& round;
    std::string name;
    Answer answer;
    bool from_hosts_file = false;
  };
  // The same.
  struct ServiceQuestion {
    Round& round;
    ServiceAnswer answer;
  };
  struct Writable {
    Fd duplicate;
    std::unique_ptr<Readable> wait;
  };

  void tell(Answer answer, Result<Resolution, std::string> result) {
    resolver_.deliver(*this,
                      [answer = std::move(answer), result = std::move(result)] { answer(result); });
  }

  void tell(ServiceAnswer answer, Result<std::vector<Service>, std::string> result) {
    resolver_.deliver(*this,
                      [answer = std::move(answer), result = std::move(result)] { answer(result); });
  }

  bool open(ares_channel& channel, char* lookups) {
    ares_options options{};
    options.timeout = kTimeoutMs;
    options.tries = kTries;
    options.lookups = lookups;
    options.sock_state_cb = &Round::on_socket;
    options.sock_state_cb_data = this;
    return ares_init_options(&channel, &options,
                             ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                 ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS;
  }

  void query(ares_channel channel, Question* question) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel, question->name.c_str(), nullptr, &hints, &Round::on_answer, question);
    arm();
  }

  static void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* raw) {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> info(raw,
                                                                            &ares_freeaddrinfo);
    std::unique_ptr<Question> question(static_cast<Question*>(argument));
    Round& round = question->round;
    if (round.closing_) return;
    Resolution found;
    if (status == ARES_SUCCESS && info) found = resolution_of(*info);
    if (!found.addresses.empty()) {
      if (question->from_hosts_file) found.ttl = kHostsFileTtl;
      round.tell(std::move(question->answer), std::move(found));
    } else if (std::exchange(question->from_hosts_file, false)) {
      round.query(round.dns_, question.release());
    } else {
      if (status == ARES_SUCCESS) status = ARES_ENODATA;
      round.tell(std::move(question->answer), Unexpected{std::string(ares_strerror(status))});
    }
  }

  static void on_services(void* argument, int status, int /*timeouts*/, unsigned char* reply,
                          int size) {
    const std::unique_ptr<ServiceQuestion> question(static_cast<ServiceQuestion*>(argument));
    Round& round = question->round;
    if (round.closing_) return;
    if (status == ARES_SUCCESS) {
      round.tell(std::move(question->answer), services_of(reply, size));
    } else {
      round.tell(std::move(question->answer), Unexpected{std::string(ares_strerror(status))});
    }
  }

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Round*>(self)->watch(fd, readable != 0, writable != 0);
  }

  // A connection is waited for in both directions: the second on a duplicate, since epoll takes a
  // descriptor once.
  void watch(ares_socket_t fd, bool readable, bool writable) {
    if (!readable) {
      reads_.erase(fd);
    } else if (!reads_.contains(fd)) {
      reads_[fd] = std::make_unique<Readable>(resolver_.loop_, fd,
                                              [this, fd] { process(fd, ARES_SOCKET_BAD); });
    }
    if (!writable) {
      writes_.erase(fd);
    } else if (!writes_.contains(fd)) {
      Writable& write = writes_[fd];
      write.duplicate = Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
      if (!write.duplicate) return;  // its timeout ends the question
      write.wait = std::make_unique<Readable>(
          resolver_.loop_, write.duplicate.get(), [this, fd] { process(ARES_SOCKET_BAD, fd); },
          Readable::Direction::write);
    }
  }

  void process(ares_socket_t read, ares_socket_t write) {
    ares_process_fd(dns_, read, write);
    arm();
  }

  void on_timer() { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

  void arm() {
    timeval storage{};
    const timeval* next = dns_ == nullptr ? nullptr : ares_timeout(dns_, nullptr, &storage);
    timer_.arm(next == nullptr ? kNever
                               : now() + seconds(next->tv_sec) + microseconds(next->tv_usec));
  }

  Resolver& resolver_;
  Instant opened_;
  bool usable_ = false;
  bool closing_ = false;
  std::size_t outstanding_ = 0;
  std::map<int, std::unique_ptr<Readable>> reads_;
  std::map<int, Writable> writes_;
  DeadlineTimer timer_;
  ares_channel files_ = nullptr;
  ares_channel dns_ = nullptr;
};

Resolver::Resolver(Loop& loop) : loop_(loop) {}

Resolver::~Resolver() = default;

Resolver::Round& Resolver::open_round() {
  if (rounds_.empty() || !rounds_.back()->is_open()) {
    rounds_.push_back(std::make_unique<Round>(*this));
  }
  return *rounds_.back();
}

void Resolver::resolve(const std::string& name, Answer answer) {
  open_round().ask(name, std::move(answer));
}

void Resolver::resolve_services(const std::string& name, ServiceAnswer answer) {
  open_round().ask_services(name, std::move(answer));
}

// Through the loop: c-ares does not want its channel destroyed, or asked again, from its callback.
void Resolver::deliver(Round& round, std::function<void()> tell) {
  boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_), &round, tell = std::move(tell)] {
    if (alive.expired()) return;
    round.answer_delivered();
    rounds_.remove_if([](const std::unique_ptr<Round>& r) { return r->is_over(); });
    tell();
  });
}

}  // namespace tribecast::io
