#include "config/found.h"

#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "config/scan.h"
#include "config/values.h"

namespace tribecast::config {
namespace {

constexpr std::size_t kMaxFoundFindings = 20;
constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kSiteWord = "site=";

// `10.0.0.1`, `web-1`, with its port where that is not the usual one.
std::string name_after(const PeerAddress& address) {
  if (address.port == kDefaultPort) return address.host;
  const char* separator = address.literal() && !address.literal()->is_v4() ? "/" : ":";
  return address.host + separator + std::to_string(address.port);
}

std::string cut(std::string_view text) { return printable(text.substr(0, 80)); }

class FoundJudge {
 public:
  explicit FoundJudge(const std::string& file) : file_(file) {}

  void wrong(unsigned line, const std::string& what, std::string fix = {}, std::string why = {}) {
    if (outcome_.diagnostics.size() >= kMaxFoundFindings) return;
    Diagnostic d = finding(file_, cut(what), std::move(fix));
    d.line = line;
    d.why = std::move(why);
    outcome_.diagnostics.push_back(std::move(d));
  }

  void add(const FoundLine& line) {
    const auto peer = judged(line);
    if (!peer) return;
    const auto [named, is_new] = by_name_.emplace(peer->name, Place{line.line, *peer});
    if (!is_new) {
      if (named->second.peer == *peer) return;
      return wrong(line.line,
                   "peer \"" + peer->name + "\" is there already: line " +
                       std::to_string(named->second.line),
                   "give each its own name, for example the instance's id",
                   "two hosts with one name cannot be told apart");
    }
    for (const PeerAddress& address : peer->addresses) check_address(line.line, address);
  }

  FoundOutcome take() {
    if (!outcome_.diagnostics.empty()) return std::move(outcome_);
    outcome_.peers.emplace();
    for (auto& [name, place] : by_name_) outcome_.peers->push_back(std::move(place.peer));
    return std::move(outcome_);
  }

 private:
  struct Place {
    unsigned line;
    FoundPeer peer;
  };

  std::optional<FoundPeer> judged(const FoundLine& line) {
    FoundPeer peer;
    if (line.addresses.empty() || line.addresses.size() > kMaxFoundAddresses) {
      wrong(line.line, std::to_string(line.addresses.size()) + " addresses, not 1 to " +
                           std::to_string(kMaxFoundAddresses));
      return std::nullopt;
    }
    for (const std::string& text : line.addresses) {
      const auto address = to_peer_address(text);
      if (!address) {
        wrong(line.line, address.error(), "an address or a name, with :PORT or without");
        return std::nullopt;
      }
      const bool twice = std::ranges::find(peer.addresses, *address) != peer.addresses.end();
      if (!twice) peer.addresses.push_back(*address);
    }
    peer.name = line.name.empty() ? name_after(peer.addresses.front()) : line.name;
    peer.site = line.site;
    if (const auto name = to_name(peer.name); !name) {
      wrong(line.line, "name '" + cut(peer.name) + "': " + name.error(),
            line.name.empty() ? "write a shorter name before the address" : "");
      return std::nullopt;
    }
    if (const auto site = to_text_value(peer.site); !site) {
      wrong(line.line, "site: " + site.error());
      return std::nullopt;
    }
    return peer;
  }

  void check_address(unsigned line, const PeerAddress& address) {
    const auto [first, is_new] = by_address_.emplace(address.to_string(), line);
    if (is_new) return;
    wrong(line, address.to_string() + " is there already: line " + std::to_string(first->second),
          "name each host once", "a host that is two peers gets everything twice");
  }

  const std::string& file_;
  FoundOutcome outcome_;
  std::map<std::string, Place> by_name_;
  std::map<std::string, unsigned> by_address_;
};

std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '#' && line[i] != ';') continue;
    if (i == 0 || kBlanks.find(line[i - 1]) != kBlanks.npos) return line.substr(0, i);
  }
  return line;
}

// nullopt for an empty line.
std::optional<FoundLine> split_line(unsigned number, std::string_view text) {
  std::vector<std::string> words = to_words(without_comment(text));
  if (words.empty()) return std::nullopt;
  FoundLine line{number, {}, {}, {}};
  if (words.size() > 1 && words.back().starts_with(kSiteWord)) {
    line.site = words.back().substr(kSiteWord.size());
    words.pop_back();
  }
  if (words.size() > 1) {
    line.name = words.front();
    words.erase(words.begin());
  }
  line.addresses = std::move(words);
  return line;
}

}  // namespace

FoundOutcome to_found(const std::string& file, const std::vector<FoundLine>& lines) {
  FoundJudge judge(file);
  for (const FoundLine& line : lines) judge.add(line);
  return judge.take();
}

FoundOutcome parse_found(const Source& source) {
  FoundJudge judge(source.file);
  std::string_view rest = source.text;
  if (rest.size() > kMaxFoundBytes) judge.wrong(0, "larger than 1 MiB");
  std::size_t count = 0;
  for (unsigned number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.size() > kMaxLineBytes) {
      judge.wrong(number, "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
      continue;
    }
    const auto line = split_line(number, text);
    if (!line) continue;
    if (++count > kMaxFoundLines) {
      judge.wrong(number, "more than " + std::to_string(kMaxFoundLines) + " peers");
      break;
    }
    judge.add(*line);
  }
  return judge.take();
}

std::string in_short(const Diagnostics& diagnostics) {
  if (diagnostics.empty()) return {};
  const Diagnostic& d = diagnostics.front();
  std::string out = printable(d.file);
  if (d.line != 0) out += ":" + std::to_string(d.line);
  out += ": " + printable(d.what);
  if (!d.why.empty()) out += " (" + printable(d.why) + ")";
  if (!d.fix.empty()) out += "; fix: " + printable(d.fix);
  if (diagnostics.size() > 1) out += "; and " + std::to_string(diagnostics.size() - 1) + " more";
  return out;
}

}  // namespace tribecast::config
