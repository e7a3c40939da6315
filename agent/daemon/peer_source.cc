#include "daemon/peer_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "config/keyring_file.h"
#include "config/values.h"
#include "control/found_json.h"
#include "io/child.h"
#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/file_watch.h"
#include "io/resolver.h"
#include "io/whole_file.h"

namespace tribecast::daemon {
namespace {

using config::FoundPeers;
using FoundResult = Result<FoundPeers, std::string>;

// --- exec

FoundResult judged(config::FoundOutcome outcome) {
  if (!outcome.peers) return Unexpected{config::in_short(outcome.diagnostics)};
  return std::move(*outcome.peers);
}

FoundResult from_program(const std::string& program, const Result<std::string, std::string>& said) {
  if (!said) return Unexpected{program + ": " + said.error()};
  const auto lines = control::read_found_json(*said);
  if (lines) return judged(config::to_found(program, *lines));
  config::Diagnostic d =
      config::finding(program, lines.error().what,
                      "print one object a line: {\"name\": \"web-1\", \"address\": \"10.0.0.11\"}");
  d.line = lines.error().line;
  return Unexpected{config::in_short({d})};
}

class ProgramSource : public PeerSource {
 public:
  ProgramSource(io::Loop& loop, const config::Discovery& discovery, Handlers handlers)
      : loop_(loop),
        command_{config::to_words(discovery.source), discovery.timeout, kMaxFoundBytes},
        good_for_(discovery.every),
        handlers_(std::move(handlers)) {}

  void ask(const FoundPeers& /*believed*/) override {
    child_ = std::make_unique<io::Child>(
        loop_, command_, [this](const Result<std::string, std::string>& said) {
          handlers_.on_answer({from_program(command_.words.front(), said), good_for_});
        });
  }

 private:
  io::Loop& loop_;
  io::Child::Command command_;
  Duration good_for_;
  Handlers handlers_;
  std::unique_ptr<io::Child> child_;
};

// --- file

config::FileMark mark_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim};
}

Result<std::string, std::string> read_peer_file(const std::string& path) {
  // Without waiting: it might be a pipe.
  const io::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file || fstat(file.get(), &info) != 0) {
    const bool denied = errno == EACCES;
    return Unexpected{path + ": cannot be read: " + std::strerror(errno) +
                      (denied ? "; fix: let the agent's user read it" : "")};
  }
  if (!S_ISREG(info.st_mode)) return Unexpected{path + ": cannot be read: it is no file"};
  auto text = io::read_whole(file.get(), kMaxFoundBytes);
  if (!text) return Unexpected{path + ": " + text.error().message()};
  return std::move(*text);
}

class FileSource : public PeerSource {
 public:
  FileSource(io::Loop& loop, const config::Discovery& discovery, Handlers handlers)
      : loop_(loop),
        path_(discovery.source),
        good_for_(discovery.every),
        handlers_(std::move(handlers)) {}

  void ask(const FoundPeers& /*believed*/) override {
    // Watched before it is read: what changes in between is told.
    FoundResult found = watch();
    mark_ = mark_of(path_);
    if (found) {
      const auto text = read_peer_file(path_);
      found = text ? judged(config::parse_found({path_, *text})) : Unexpected{text.error()};
    }
    boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_), found = std::move(found)] {
      if (!alive.expired()) handlers_.on_answer({found, good_for_});
    });
  }

  [[nodiscard]] bool tells_news() const override { return watch_ != nullptr; }

 private:
  FoundResult watch() {
    if (watch_) return FoundPeers{};
    auto watch = io::FileWatch::open(loop_, path_, [this] {
      // Something in its directory: often another file.
      if (mark_of(path_) != mark_) handlers_.on_news();
    });
    if (!watch) return Unexpected{path_ + ": cannot be watched: " + watch.error().message()};
    watch_ = std::move(*watch);
    return FoundPeers{};
  }

  io::Loop& loop_;
  std::string path_;
  Duration good_for_;
  Handlers handlers_;
  config::FileMark mark_;  // of what was read last
  std::unique_ptr<io::FileWatch> watch_;
  // Owned here alone; an answer on its way through the loop holds a weak_ptr.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// --- dns

class NameSource : public PeerSource {
 public:
  // Targets of SRV records that are asked for at the same time.
  static constexpr std::size_t kMaxAsked = 64;

  NameSource(io::Loop& loop, const config::Discovery& discovery, Families families,
             Handlers handlers)
      : name_(discovery.source),
        every_(discovery.every),
        timeout_(discovery.timeout),
        families_(families),
        handlers_(std::move(handlers)),
        timer_(loop, [this] { fail("no answer within its timeout"); }),
        resolver_(loop) {}

  void ask(const FoundPeers& believed) override {
    ++turn_;
    good_for_ = every_;
    timer_.arm(io::now() + timeout_);
    if (name_.starts_with('_')) return ask_services(believed);
    resolver_.resolve(name_, [this, turn = turn_](const auto& answer) {
      if (turn != turn_) return;
      if (!answer) return fail(answer.error());
      note_ttl(answer->ttl);
      std::vector<FoundLine> lines;
      for (const Address& address : answer->addresses) {
        if (useful(address)) lines.push_back({0, {}, {address.to_string()}, {}});
      }
      finish(lines);
    });
  }

 private:
  void ask_services(const FoundPeers& believed) {
    believed_ = believed;
    resolver_.resolve_services(name_, [this, turn = turn_](const auto& answer) {
      if (turn != turn_) return;
      if (!answer) return fail(answer.error());
      addresses_before_ = std::exchange(addresses_, {});
      services_ = *answer;
      services_.resize(std::min(services_.size(), kMaxFoundLines));
      next_ = 0;
      waiting_ = 0;
      ask_targets();
    });
  }

  void ask_targets() {
    while (waiting_ < kMaxAsked && next_ < services_.size()) {
      const std::string target = services_[next_++].target;
      if (!addresses_.try_emplace(target).second) continue;  // asked for already
      ++waiting_;
      resolver_.resolve(target, [this, turn = turn_, target](const auto& answer) {
        if (turn != turn_) return;
        --waiting_;
        if (answer) {
          note_ttl(answer->ttl);
          addresses_[target] = answer->addresses;
        } else if (const auto before = addresses_before_.find(target);
                   before != addresses_before_.end()) {
          addresses_[target] = before->second;
        }
        ask_targets();
      });
    }
    if (waiting_ == 0 && next_ == services_.size()) finish(lines_of_services());
  }

  // A target that cannot be resolved keeps the addresses that it had.
  std::vector<FoundLine> lines_of_services() const {
    std::map<std::string, std::size_t> ports;
    for (const io::Service& service : services_) ++ports[service.target];
    std::set<Endpoint> taken;
    std::vector<FoundLine> lines;
    for (const io::Service& service : services_) {
      FoundLine line{0, service.target, {}, {}};
      if (ports[service.target] > 1) line.name += ":" + std::to_string(service.port);
      if (!config::to_name(line.name)) line.name.clear();
      for (const Address& address : addresses_.at(service.target)) {
        const Endpoint endpoint{address, service.port};
        const bool room = line.addresses.size() < config::kMaxFoundAddresses;
        if (useful(address) && room && taken.insert(endpoint).second) {
          line.addresses.push_back(endpoint.to_string());
        }
      }
      if (addresses_.at(service.target).empty()) add_believed(line, taken);
      if (!line.addresses.empty()) lines.push_back(std::move(line));
    }
    return lines;
  }

  void add_believed(FoundLine& line, std::set<Endpoint>& taken) const {
    const auto before = std::ranges::find(believed_, line.name, &config::FoundPeer::name);
    if (before == believed_.end()) return;
    for (const config::PeerAddress& address : before->addresses) {
      const auto literal = address.literal();
      if (!literal || !taken.insert({*literal, address.port}).second) continue;
      line.addresses.push_back(address.to_string());
    }
  }

  [[nodiscard]] bool useful(const Address& address) const {
    const bool listens = address.is_v4() ? families_.v4 : families_.v6;
    return listens && !address.is_multicast() && !address.is_unspecified();
  }

  void note_ttl(Duration ttl) {
    good_for_ = std::min(good_for_, std::max<Duration>(ttl, seconds(1)));
  }

  void finish(const std::vector<FoundLine>& lines) {
    if (lines.empty()) return fail("it has no address that could be used");
    answer(judged(config::to_found("dns " + name_, lines)));
  }

  void fail(const std::string& why) { answer(Unexpected{name_ + ": " + why}); }

  void answer(FoundResult result) {
    ++turn_;
    timer_.arm(kNever);
    handlers_.on_answer({std::move(result), good_for_});
  }

  std::string name_;
  Duration every_;
  Duration timeout_;
  Families families_;
  Handlers handlers_;
  std::uint64_t turn_ = 0;  // answers to earlier questions are late
  Duration good_for_{};
  FoundPeers believed_;
  std::vector<io::Service> services_;
  std::map<std::string, std::vector<Address>> addresses_;         // of the targets
  std::map<std::string, std::vector<Address>> addresses_before_;  // by the last answer
  std::size_t next_ = 0;
  std::size_t waiting_ = 0;
  io::DeadlineTimer timer_;
  io::Resolver resolver_;
};

}  // namespace

std::unique_ptr<PeerSource> PeerSource::open(io::Loop& loop, const config::Discovery& discovery,
                                             Families families, Handlers handlers) {
  switch (discovery.kind) {
    case config::SourceKind::dns:
      return std::make_unique<NameSource>(loop, discovery, families, std::move(handlers));
    case config::SourceKind::file:
      return std::make_unique<FileSource>(loop, discovery, std::move(handlers));
    case config::SourceKind::exec:
      break;
  }
  return std::make_unique<ProgramSource>(loop, discovery, std::move(handlers));
}

}  // namespace tribecast::daemon
