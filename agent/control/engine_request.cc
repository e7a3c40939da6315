#include "control/engine_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/suggest.h"
#include "base/utf8.h"
#include "control/request.h"

namespace tribecast::control {
namespace {

constexpr std::array<std::string_view, 4> kVerbs = {"status", "sessions", "session", "verify"};

Unexpected<std::string> wrong(std::string what) { return {std::move(what)}; }

// Up to the next blank, which goes, too.
std::string_view next_word(std::string_view& rest) {
  const std::size_t blank = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, blank);
  rest.remove_prefix(std::min(blank + 1, rest.size()));
  return word;
}

}  // namespace

Result<EngineRequest, std::string> parse_engine_request(std::string_view line) {
  if (line.size() > kMaxRequestBytes) return wrong("the request is longer than 4096 bytes");
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (first_unprintable(line) != line.npos) return wrong("the request is no printable text");
  const std::string_view word = next_word(line);
  const auto* verb = std::ranges::find(kVerbs, word);
  if (verb == kVerbs.end()) {
    const std::string hint = did_you_mean(word, kVerbs);
    return wrong("unknown request '" + std::string(word) + "'" + (hint.empty() ? "" : ", " + hint));
  }
  EngineRequest request;
  request.verb = static_cast<EngineVerb>(verb - kVerbs.begin());
  if (request.verb == EngineVerb::sessions) {
    const std::string_view limit = next_word(line);
    const auto [end, error] =
        std::from_chars(limit.data(), limit.data() + limit.size(), request.limit);
    const bool is_number = error == std::errc() && end == limit.data() + limit.size();
    if (!is_number || request.limit == 0 || request.limit > kMostListed) {
      return wrong("'sessions' takes a number of 1 to " + std::to_string(kMostListed));
    }
  }
  if (request.verb == EngineVerb::session) {
    request.word = next_word(line);
    if (request.word.empty()) return wrong("'session' takes an id");
  }
  const bool takes_context =
      request.verb == EngineVerb::sessions || request.verb == EngineVerb::session;
  if (!takes_context && !line.empty()) {
    return wrong("'" + std::string(word) + "' takes no argument");
  }
  request.context = line;
  return request;
}

std::string to_line(const EngineRequest& request) {
  std::string line(kVerbs.at(static_cast<std::size_t>(request.verb)));
  if (request.verb == EngineVerb::sessions) line += " " + std::to_string(request.limit);
  if (request.verb == EngineVerb::session) line += " " + request.word;
  if (!request.context.empty()) line += " " + request.context;
  return line + "\n";
}

Verdict judge(const EngineStatus& status) {
  Verdict verdict;
  const auto add = [&](Level level, std::string id, std::string text) {
    verdict.level = std::max(verdict.level, level);
    verdict.reasons.push_back({std::move(id), std::move(text), std::nullopt});
  };
  verdict.level = status.members.empty() ? Level::idle : Level::ok;
  if (status.members.empty()) add(Level::idle, "no_members", "no member is seen");
  if (!status.in_sync) {
    add(Level::degraded, "not_in_sync", "not in sync: others were there before and may know more");
  }
  if (status.disk == "failed") {
    const bool is_awaited = status.ack == "disk";
    add(is_awaited ? Level::critical : Level::degraded, "disk_failed",
        is_awaited ? "the disk cannot be written: nothing is acknowledged"
                   : "the disk cannot be written: sessions are in memory alone");
  }
  if (status.copies == "failed") {
    add(Level::critical, "copies_failed",
        "no other engine takes a copy: what waits for an acknowledgement is refused");
  }
  const bool is_full = status.memory_bytes + 512 >= status.memory_limit_bytes;
  if (is_full) {
    add(Level::critical, "memory_full", "memory-limit is reached: new sessions are refused");
  } else if (status.memory_bytes / 9 >= status.memory_limit_bytes / 10) {
    add(Level::degraded, "memory_alarm", "sessions take more than 90 % of memory-limit");
  }
  for (const EngineMember& member : status.members) {
    if (member.state == "suspect") {
      add(Level::degraded, "member_suspect", member.name + " is silent, but its port answers");
    }
    if (member.agrees == false) {
      add(Level::degraded, "engines_differ",
          member.name + " has other sessions than this engine; they are being exchanged");
    }
  }
  return verdict;
}

Exit exit_code(const VerifyReport& report) {
  const auto is_same = [](const VerifyMember& member) { return member.outcome == "same"; };
  return std::ranges::all_of(report.members, is_same) ? Exit::good : Exit::degraded;
}

}  // namespace tribecast::control
