#include <chrono>
#include <thread>

#include "cli/option_value.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/events.h"

namespace tribecast::cli {
namespace {

constexpr auto kAgain = std::chrono::seconds(1);  // how often an agent that went away is looked for

// Prints events one after the other, and remembers which was the last.
class Printer {
 public:
  explicit Printer(const Invocation& in) : json_(in.has("json")), style_(style_of(in)) {}

  // At most the newest `most`. False when nobody reads any more.
  bool show(const control::EventList& list, std::size_t most) {
    if (list.instance != instance_) last_ = 0;
    std::size_t skip = list.events.size() - std::min(list.events.size(), most);
    for (const control::Event& event : list.events) {
      if (skip > 0) {
        --skip;
        continue;
      }
      if (event.sequence <= last_) continue;
      if (instance_ == list.instance && event.sequence > last_ + 1) {
        complain({Exit::good, control::counted(event.sequence - last_ - 1, "event") +
                                  " came too fast to be kept"});
      }
      last_ = event.sequence;
      instance_ = list.instance;
      if (!print(json_ ? control::event_json(event, list.instance, timestamp())
                       : control::event_text(event, style_))) {
        return false;
      }
    }
    instance_ = list.instance;
    last_ = list.last;
    return true;
  }
  [[nodiscard]] std::uint64_t last() const { return last_; }

 private:
  bool json_;
  control::Style style_;
  std::string instance_;
  std::uint64_t last_ = 0;
};

// Until interrupted. An agent that goes away is awaited.
Exit follow(const Client& client, Printer& printer) {
  bool away = false;
  while (true) {
    const auto list = away ? client.events() : client.next_events(printer.last());
    if (list) {
      away = false;
      if (!printer.show(*list, list->events.size())) return Exit::good;
      continue;
    }
    if (list.error().code != Exit::unreachable) return complain(list.error());
    if (!away) complain(list.error());
    away = true;
    std::this_thread::sleep_for(kAgain);
  }
}

}  // namespace

Exit run_events(const Invocation& in) {
  const auto most = number_of(in, "count", kMostTimes, 0);
  if (!most) return complain_usage(most.error());
  const Client client = client_of(in);
  const auto list = client.events();
  if (!list) return complain(list.error());
  Printer printer(in);
  if (!printer.show(*list, *most) || !in.has("follow")) return Exit::good;
  return follow(client, printer);
}

}  // namespace tribecast::cli
