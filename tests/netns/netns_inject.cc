// Joins and injects. Arguments: [--no-join] [--groups N] [--every MS] COUNT SIZE SOURCE GROUP:PORT
// IF... With --every it goes on, following the host's links, until it is ended; else it ends after
// COUNT.
// --groups N joins the N addresses from GROUP on and injects to each.
#include <algorithm>
#include <array>

#include "driver.h"
#include "host/injector.h"
#include "host/link_monitor.h"
#include "host/membership.h"
#include "io/clock.h"
#include "io/deadline_timer.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

constexpr std::array kNames = {"injected",   "not_member", "unreachable",
                               "no_buffers", "too_large",  "failed"};
static_assert(kNames.size() == host::kInjectStatusCount);

struct Plan {
  bool join = true;
  unsigned groups = 1;
  Duration every{};
  unsigned count = 0;
  Buffer payload;
  Endpoint source;
  Endpoint group;
  std::vector<std::string> interfaces;
};

Plan read_plan(std::vector<std::string> args) {
  Plan plan;
  while (!args.empty() && args[0].starts_with("--")) {
    const bool valued = args[0] != "--no-join";
    if (!valued) plan.join = false;
    if (args[0] == "--groups") plan.groups = static_cast<unsigned>(std::stoul(args.at(1)));
    if (args[0] == "--every") plan.every = milliseconds(std::stoul(args.at(1)));
    args.erase(args.begin(), args.begin() + (valued ? 2 : 1));
  }
  if (args.size() < 5) die("usage: netns_inject [options] COUNT SIZE SOURCE GROUP:PORT IF...");
  plan.count = static_cast<unsigned>(std::stoul(args[0]));
  plan.payload.assign(std::stoul(args[1]), 'i');
  plan.source = endpoint(args[2]);
  plan.group = endpoint(args[3]);
  plan.interfaces.assign(args.begin() + 4, args.end());
  return plan;
}

class Injections {
 public:
  Injections(boost::asio::io_context& loop, Plan plan)
      : plan_(std::move(plan)),
        monitor_(need(host::LinkMonitor::open(loop, [this](const auto& c) { changed(c); }))),
        membership_(need(host::Membership::open())),
        injector_(need(host::Injector::open(membership_))),
        timer_(loop, [this] { tick(); }) {
    join_all();
    for (const std::string& name : plan_.interfaces) {
      const host::Interface* i = monitor_->view().find(name);
      if (i == nullptr) continue;
      say("listeners {} {}", name, membership_.listeners(io::now(), plan_.group.address, i->index));
    }
  }

  void run_once() {
    const Instant begin = io::now();
    for (unsigned i = 0; i < plan_.count; ++i) round();
    say("each round took {} ns", (io::now() - begin).count() / std::max(plan_.count, 1U));
  }

  void run_on() { timer_.arm(io::now() + plan_.every); }

  void report() const {
    for (std::size_t i = 0; i < kNames.size(); ++i) say("{} {}", kNames[i], counts_[i]);
  }

 private:
  void join_all() {
    if (!plan_.join) return;
    for (const std::string& name : plan_.interfaces) {
      const host::Interface* i = monitor_->view().find(name);
      if (i == nullptr) continue;
      for (unsigned n = 0; n < plan_.groups; ++n) {
        const auto joined = membership_.join(group(n).address, i->index);
        if (!joined) say("join: {}", joined.error().message());
      }
    }
  }

  void changed(const host::HostChange& change) {
    for (const int interface : change.touched) {
      membership_.rejoin(interface);
      say("touched {}", interface);
    }
    join_all();
  }

  Endpoint group(unsigned n) const {
    return {Address::v4(plan_.group.address.v4_host_order() + n), plan_.group.port};
  }

  void round() {
    monitor_->drain();
    const Instant now = io::now();
    for (const std::string& name : plan_.interfaces) {
      const host::Interface* i = monitor_->view().find(name);
      if (i == nullptr) continue;
      for (unsigned n = 0; n < plan_.groups; ++n) {
        const auto status =
            injector_.inject(now, {plan_.source, group(n), plan_.payload}, i->index, i->mtu_bytes);
        ++counts_[static_cast<std::size_t>(status)];
      }
    }
  }

  void tick() {
    round();
    run_on();
  }

  Plan plan_;
  std::unique_ptr<host::LinkMonitor> monitor_;
  host::Membership membership_;
  host::Injector injector_;
  io::DeadlineTimer timer_;
  std::array<std::uint64_t, host::kInjectStatusCount> counts_{};
};

}  // namespace

int main(int argc, char** argv) {
  boost::asio::io_context loop;
  Plan plan = read_plan(arguments(argc, argv));
  const bool once = plan.every == Duration::zero();
  Injections injections(loop, std::move(plan));
  say("ready");
  if (once) {
    injections.run_once();
  } else {
    injections.run_on();
    run(loop);
  }
  injections.report();
}
