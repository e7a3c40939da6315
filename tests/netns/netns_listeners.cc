// Watches listeners. Arguments: ENDPOINT... Prints every one that goes; on SIGHUP the counters; on
// SIGUSR1 begins to watch those that it does not watch, on SIGALRM looks at the last one, on
// SIGUSR2 forgets all.
#include "driver.h"
#include "host/listener_watch.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

void watch(host::ListenerWatch& listeners, const std::vector<std::string>& endpoints) {
  for (const std::string& text : endpoints) {
    if (listeners.watches(endpoint(text))) continue;
    const auto listening = listeners.watch(endpoint(text));
    if (!listening) {
      say("failed {}: {}", text, listening.error().message());
    } else {
      say("{} {}", *listening ? "watching" : "nobody", text);
    }
  }
}

void print(const host::ListenerWatch::Counters& c) {
  say("wakeups={} messages={} lost={} dumps={} failed={}", c.wakeups, c.messages, c.lost, c.dumps,
      c.failed_dumps);
}

}  // namespace

int main(int argc, char** argv) {
  const auto endpoints = arguments(argc, argv);
  boost::asio::io_context loop;
  const auto listeners = need(host::ListenerWatch::open(
      loop, [](const Endpoint& listener) { say("gone {}", listener.to_string()); }));
  watch(*listeners, endpoints);
  boost::asio::signal_set orders(loop, SIGHUP, SIGUSR1, SIGUSR2);
  orders.add(SIGALRM);
  const std::function<void()> wait = [&] {
    orders.async_wait([&](boost::system::error_code error, int signal) {
      if (error) return;
      if (signal == SIGHUP) print(listeners->counters());
      if (signal == SIGUSR1) watch(*listeners, endpoints);
      if (signal == SIGALRM) listeners->look(endpoint(endpoints.back()));
      if (signal == SIGUSR2) {
        for (const std::string& text : endpoints) listeners->forget(endpoint(text));
        say("forgotten");
      }
      wait();
    });
  };
  wait();
  say("ready");
  run(loop);
}
