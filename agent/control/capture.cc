#include "control/capture.h"

#include "base/address.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

Json json_of(const Seen& seen) {
  return {{"sequence", seen.sequence},
          {"time_nanoseconds", seen.time_nanoseconds},
          {"group", seen.group},
          {"peer", text_or_null(seen.peer)},
          {"source", seen.source},
          {"destination", seen.destination},
          {"copies", seen.copies},
          {"dropped", text_or_null(seen.dropped)},
          {"kind", seen.kind},
          {"member", text_or_null(seen.member)},
          {"alive_seconds", known(seen.alive_seconds)},
          {"unique_id", text_or_null(seen.unique_id)},
          {"payload", to_hex(seen.payload)}};
}

Seen seen_of(const Json& json) {
  Seen out;
  get(json, "sequence", out.sequence);
  get(json, "time_nanoseconds", out.time_nanoseconds);
  get(json, "group", out.group);
  get(json, "peer", out.peer);
  get(json, "source", out.source);
  get(json, "destination", out.destination);
  get(json, "copies", out.copies);
  get(json, "dropped", out.dropped);
  get(json, "kind", out.kind);
  get(json, "member", out.member);
  get(json, "alive_seconds", out.alive_seconds);
  get(json, "unique_id", out.unique_id);
  std::string payload;
  get(json, "payload", payload);
  out.payload = from_hex(payload).value_or(Buffer{});
  return out;
}

std::string outcome(const Seen& seen) {
  if (!seen.dropped.empty()) return "dropped: " + seen.dropped;
  return seen.peer.empty() ? "relayed to " + counted(seen.copies, "peer")
                           : "injected on " + counted(seen.copies, "interface");
}

// Sent by the host that it speaks of, as nearly all are.
bool is_of_its_member(const Seen& seen) {
  const auto source = Endpoint::parse(seen.source);
  const auto member = Endpoint::parse(seen.member);
  return source && member && source->address == member->address;
}

// --- pcapng: little-endian, as its byte-order magic says

constexpr std::uint16_t kRawIp = 101;  // LINKTYPE_RAW
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kFlags = 2;
constexpr std::uint16_t kTimeResolution = 9;
constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kUdpHeader = 8;

std::string little(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffU);
  return out;
}

std::string big(std::uint64_t value, std::size_t bytes) {
  std::string out = little(value, bytes);
  return {out.rbegin(), out.rend()};
}

std::string padded(std::string_view text) {
  return std::string(text) + std::string((4 - text.size() % 4) % 4, '\0');
}

std::string option(std::uint16_t code, std::string_view value) {
  return little(code, 2) + little(value.size(), 2) + padded(value);
}

std::string block(std::uint32_t type, const std::string& body) {
  const std::string size = little(body.size() + 12, 4);
  return little(type, 4) + size + body + size;
}

std::string text_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// RFC 791 3.1.
std::uint16_t header_checksum(std::string_view header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(header[i])) << 8U;
    sum += static_cast<unsigned char>(header[i + 1]);
  }
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum & 0xffffU);
}

// IPv4 and UDP around the payload, TTL 1; a UDP checksum of 0 is none (RFC 768). Empty when it
// cannot be one packet.
std::string packet_of(const Seen& seen) {
  const auto source = Endpoint::parse(seen.source);
  const auto destination = Endpoint::parse(seen.destination);
  const std::size_t size = kIpHeader + kUdpHeader + seen.payload.size();
  if (!source || !destination || size > 0xffffU) return {};
  if (!source->address.is_v4() || !destination->address.is_v4()) return {};
  const std::string before = big(0x4500, 2) + big(size, 2) + big(0, 4) + big(0x0111, 2);
  const std::string ends = text_of(source->address.bytes()) + text_of(destination->address.bytes());
  const std::string checksum = big(header_checksum(before + big(0, 2) + ends), 2);
  return before + checksum + ends + big(source->port, 2) + big(destination->port, 2) +
         big(size - kIpHeader, 2) + big(0, 2) + text_of(seen.payload);
}

}  // namespace

std::string capture_reply(const SeenList& list) {
  Json json = {{"ok", true}, {"last", list.last}};
  Json& seen = json["seen"] = Json::array();
  for (const Seen& one : list.seen) seen.push_back(json_of(one));
  return line(json);
}

Result<SeenList, Failure> read_capture_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  SeenList list;
  get(*json, "last", list.last);
  const Json& seen = child(*json, "seen");
  if (!seen.is_array()) return list;
  for (const Json& one : seen) list.seen.push_back(seen_of(one));
  return list;
}

std::string seen_text(const Seen& seen, std::string_view clock, const Style& style) {
  constexpr std::size_t kMargin = 4;
  const bool bad = !seen.dropped.empty();
  std::string what = seen.group + " " + (seen.peer.empty() ? "out" : "in from " + seen.peer) + " " +
                     (is_of_its_member(seen) ? "" : seen.source + " ") + seen.kind;
  if (!seen.member.empty()) what += " " + seen.member + " alive " + age_text(seen.alive_seconds);
  if (seen.member.empty()) what += " " + counted(seen.payload.size(), "byte");
  std::string text = continued(what, count_characters(clock) + 1, kMargin);
  const std::string last = "[" + outcome(seen) + "]";
  const bool fits =
      text.find('\n') + 1 == text.size() &&
      count_characters(clock) + count_characters(text) + count_characters(last) + 1 <= kColumns;
  if (fits) text.back() = ' ';
  if (!fits) text += std::string(kMargin, ' ');
  return toned(clock, Tone::faint, style) + " " + text +
         toned(last, bad ? Tone::warn : Tone::good, style) + "\n";
}

std::string seen_json(const Seen& seen, std::string_view time, std::string_view generated_at) {
  Json json = document("capture", generated_at);
  json["time"] = time;
  json.update(json_of(seen));
  return line(json);
}

std::string pcapng_header() {
  const std::string section = little(0x1a2b3c4d, 4) + little(1, 2) + little(0, 2) +
                              std::string(8, '\xff');  // of unknown length
  const std::string interface = little(kRawIp, 2) + little(0, 2) + little(0, 4) +
                                option(kTimeResolution, "\x09") + option(0, "");
  return block(0x0a0d0d0a, section) + block(1, interface);
}

std::string pcapng_block(const Seen& seen) {
  const std::string packet = packet_of(seen);
  if (packet.empty()) return {};
  const std::string size = little(packet.size(), 4);
  const std::string time =
      little(seen.time_nanoseconds >> 32U, 4) + little(seen.time_nanoseconds & 0xffffffffU, 4);
  const std::string comment =
      seen.group + (seen.peer.empty() ? "" : ", from " + seen.peer) + ": " + outcome(seen);
  return block(6, little(0, 4) + time + size + size + padded(packet) + option(kComment, comment) +
                      option(kFlags, little(seen.peer.empty() ? 2 : 1, 4)) + option(0, ""));
}

}  // namespace tribecast::control
