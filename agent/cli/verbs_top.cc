#include <chrono>
#include <optional>

#include "cli/full_screen.h"
#include "cli/option_value.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/print.h"

namespace tribecast::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostEvents = 5;

std::string events_text(const Client& client, const control::Style& style) {
  const auto list = client.events();
  if (!list) return {};
  std::string out;
  const std::size_t skip = list->events.size() - std::min(list->events.size(), kMostEvents);
  for (std::size_t i = skip; i < list->events.size(); ++i) {
    out += control::event_text(list->events[i], style);
  }
  return out;
}

// What stands on the screen; an agent that goes away is awaited.
std::vector<std::string> look(const Client& client, const control::Style& style) {
  const auto status = client.status();
  const std::string keys = control::toned("q: quit", control::Tone::faint, style) + "\n";
  if (!status)
    return {control::toned("AWAY", control::Tone::bad, style) + "  " + status.error().error + "\n",
            keys};
  return {control::status_text(*status, style), control::peers_text(*status, style),
          control::members_text(*status, style), events_text(client, style), keys};
}

}  // namespace

Exit run_top(const Invocation& in, std::uint64_t count) {
  const Client client = client_of(in);
  if (const auto status = client.status(); !status) return complain(status.error());
  const auto screen = FullScreen::open();
  if (!screen) return complain_usage({"--top needs a terminal", ""});
  const control::Style style = style_of(in);
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto sections = look(client, style);
    const Clock::time_point next = Clock::now() + seconds(1);
    while (true) {
      if (!print(control::screen_text(sections, FullScreen::size()))) return Exit::good;
      const auto wake = screen->sleep(std::max<Duration>(next - Clock::now(), Duration::zero()));
      if (wake == FullScreen::Wake::quit) return Exit::good;
      if (wake == FullScreen::Wake::time_is_up) break;
    }
  }
  return Exit::good;
}

}  // namespace tribecast::cli
