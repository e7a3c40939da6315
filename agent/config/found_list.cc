#include "config/found_list.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "config/values.h"

namespace tribecast::config {
namespace {

constexpr std::string_view kListTitle = "tribecast discovered 1 ";
constexpr std::array kSourceKinds = {SourceKind::dns, SourceKind::file, SourceKind::exec};

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<FoundRecord> parse_from(std::string_view line) {
  FoundRecord record;
  const std::vector<std::string> words = to_words(line);
  if (words.size() < 4 || words[0] != "from" || !to_name(words[1])) return std::nullopt;
  const auto kind = std::ranges::find_if(
      kSourceKinds, [&](SourceKind candidate) { return name_of(candidate) == words[2]; });
  if (kind == kSourceKinds.end()) return std::nullopt;
  record.name = words[1];
  record.kind = *kind;
  // What is behind the third word, blanks too.
  const std::string begin = words[0] + ' ' + words[1] + ' ' + words[2] + ' ';
  if (!line.starts_with(begin)) return std::nullopt;
  record.source = line.substr(begin.size());
  return record;
}

std::optional<FoundLine> parse_peer(std::string_view line) {
  FoundLine found;
  std::vector<std::string> words = to_words(line);
  if (words.size() < 4 || words[0] != "peer") return std::nullopt;
  const auto site = words[2] == "-" ? Buffer() : from_hex(words[2]);
  if (!site) return std::nullopt;
  found.name = words[1];
  found.site = text_of(*site);
  found.addresses.assign(words.begin() + 3, words.end());
  return found;
}

std::string peer_line(const FoundPeer& peer) {
  std::string line = "peer " + peer.name + ' ';
  line += peer.site.empty() ? "-" : to_hex(bytes_of(peer.site));
  for (const PeerAddress& address : peer.addresses) line += ' ' + address.to_string();
  return line + '\n';
}

// Puts the peers that were read into their section; false when they are none.
bool close_record(FoundList& list, std::vector<FoundLine>& lines) {
  if (list.records.empty()) return lines.empty();
  auto outcome = to_found("", std::exchange(lines, {}));
  if (!outcome.peers) return false;
  list.records.back().peers = std::move(*outcome.peers);
  return true;
}

}  // namespace

std::string to_text(const FoundList& list) {
  std::string text = std::string(kListTitle) + std::to_string(list.generation) + '\n';
  std::size_t count = 0;
  for (const FoundRecord& record : list.records) {
    text += "from " + record.name + ' ' + std::string(name_of(record.kind)) + ' ' + record.source;
    text += '\n';
    for (const FoundPeer& peer : record.peers) text += peer_line(peer);
    count += 1 + record.peers.size();
  }
  return text + "end " + std::to_string(count) + '\n';
}

Result<FoundList, std::string> parse_found_list(std::string_view text) {
  using Error = Unexpected<std::string>;
  if (text.size() > kMaxFoundListBytes) return Error{"larger than 8 MiB"};
  FoundList list;
  const std::string_view title = take_line(text);
  if (!title.starts_with(kListTitle)) return Error{"line 1: it is no list of found peers"};
  const auto generation = to_number(title.substr(kListTitle.size()));
  if (!generation) return Error{"line 1: " + generation.error()};
  list.generation = *generation;
  std::vector<FoundLine> lines;
  for (std::size_t count = 0; !text.empty(); ++count) {
    const std::string_view line = take_line(text);
    const std::string where = "line " + std::to_string(count + 2);
    if (line == "end " + std::to_string(count)) {
      if (!close_record(list, lines)) return Error{where + ": the last section's peers are none"};
      return list;
    }
    if (auto record = parse_from(line)) {
      if (!close_record(list, lines)) return Error{where + ": the section before is none"};
      if (list.records.size() == kMaxDiscoveries) return Error{where + ": too many sections"};
      list.records.push_back(std::move(*record));
      continue;
    }
    const auto peer = parse_peer(line);
    if (!peer || lines.size() == kMaxFoundLines) return Error{where + ": it is no peer"};
    lines.push_back(*peer);
  }
  return Error{"the list has no end: it was not written completely"};
}

}  // namespace tribecast::config
