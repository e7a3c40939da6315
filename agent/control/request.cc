#include "control/request.h"

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "base/utf8.h"

namespace tribecast::control {
namespace {

constexpr std::array<std::string_view, 10> kVerbs = {"status",  "ping",     "reload", "config-show",
                                                     "confirm", "undo",     "events", "capture",
                                                     "bench",   "roll-call"};

Unexpected<std::string> wrong(std::string what) { return {std::move(what)}; }

bool needs_argument(Verb verb) { return verb == Verb::ping || verb == Verb::bench; }
bool takes_argument(Verb verb) {
  return needs_argument(verb) || verb == Verb::reload || verb == Verb::events ||
         verb == Verb::capture;
}

}  // namespace

Result<Request, std::string> parse_request(std::string_view line) {
  if (line.size() > kMaxRequestBytes) return wrong("the request is longer than 4096 bytes");
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (first_unprintable(line) != line.npos) return wrong("the request is no printable text");
  const std::size_t blank = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, blank);
  if (word.empty()) return wrong("the request is empty");
  const auto* verb = std::ranges::find(kVerbs, word);
  if (verb == kVerbs.end()) {
    const std::string hint = did_you_mean(word, kVerbs);
    return wrong("unknown request '" + std::string(word) + "'" + (hint.empty() ? "" : ", " + hint));
  }
  Request request;
  request.verb = static_cast<Verb>(verb - kVerbs.begin());
  request.argument = line.substr(std::min(blank + 1, line.size()));
  const bool given = !request.argument.empty();
  if (!given && needs_argument(request.verb)) {
    return wrong("'" + std::string(word) + "' takes an argument");
  }
  if (given && !takes_argument(request.verb)) {
    return wrong("'" + std::string(word) + "' takes no argument");
  }
  return request;
}

std::string to_line(const Request& request) {
  std::string line(kVerbs[static_cast<std::size_t>(request.verb)]);
  if (!request.argument.empty()) line += " " + request.argument;
  return line + "\n";
}

}  // namespace tribecast::control
