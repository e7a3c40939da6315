#include "daemon/events.h"

#include <utility>

#include "base/utf8.h"

namespace tribecast::daemon {
namespace {

// Lines and their indents become blanks.
std::string one_line(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, Events::kMaxText)) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  while (out.ends_with(' ')) out.pop_back();
  return printable(out) + (text.size() > Events::kMaxText ? " ..." : "");
}

}  // namespace

void Events::add(control::Event event) {
  event.sequence = ++last_;
  event.text = one_line(event.text);
  events_.push_back(std::move(event));
  if (events_.size() > kKept) events_.pop_front();
}

void Events::ask(std::optional<std::uint64_t> after, Reply reply) {
  if (!after || *after > last_) return reply(list_after(0));
  if (*after < last_) return reply(list_after(*after));
  if (waiting_.size() == kMaxWaiting) waiting_.pop_front();
  waiting_.push_back({*after, std::move(reply)});
}

void Events::answer() {
  std::deque<Waiting> still;
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.after == last_) {
      still.push_back(std::move(waiting));
    } else {
      waiting.reply(list_after(waiting.after));
    }
  }
  waiting_ = std::move(still);
}

std::string Events::list_after(std::uint64_t sequence) const {
  control::EventList list{instance_, last_, {}};
  for (const control::Event& event : events_) {
    if (event.sequence > sequence) list.events.push_back(event);
  }
  return control::events_reply(list);
}

}  // namespace tribecast::daemon
