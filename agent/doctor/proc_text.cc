#include "doctor/proc_text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tribecast::doctor {
namespace {

constexpr std::string_view kTcpEstablished = "01";
constexpr std::string_view kTcpListen = "0A";

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

template <class T>
std::optional<T> number_in(std::string_view word, int base) {
  T value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// Each eight digits are four bytes of the address, read as a number of the host.
std::optional<Address> address_in(std::string_view digits, std::endian byte_order) {
  if (digits.size() != 8 && digits.size() != 32) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t word = 0; word < digits.size() / 8; ++word) {
    const auto value = number_in<std::uint32_t>(digits.substr(word * 8, 8), 16);
    if (!value) return std::nullopt;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t shift = byte_order == std::endian::little ? 8 * i : 24 - 8 * i;
      bytes[word * 4 + i] = static_cast<std::uint8_t>(*value >> shift & 0xffU);
    }
  }
  return Address::from_bytes(Bytes(bytes).first(digits.size() / 2));
}

// `0100007F:0FA0`
std::optional<Endpoint> endpoint_in(std::string_view word, std::endian byte_order) {
  const auto address = address_in(take_until(word, ':'), byte_order);
  const auto port = number_in<std::uint16_t>(word, 16);
  if (!address || !port) return std::nullopt;
  return Endpoint{*address, *port};
}

struct Line {
  ProcSocket socket;
  std::string_view state;
};

//   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//   ref pointer drops
//  123: 00000000:B1FC 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21310
//  2 0000 0
std::optional<Line> parse_socket(std::string_view text, std::endian byte_order) {
  take_word(text);
  const auto local = endpoint_in(take_word(text), byte_order);
  take_word(text);
  const std::string_view state = take_word(text);
  for (int skipped = 0; skipped < 5; ++skipped) take_word(text);
  const auto inode = number_in<std::uint64_t>(take_word(text), 10);
  take_word(text);
  take_word(text);
  const auto drops = number_in<std::uint64_t>(take_word(text), 10);
  if (!local || !inode) return std::nullopt;
  return Line{{*local, *inode, drops.value_or(0)}, state};
}

// The same line as far as it tells of a connection.
std::optional<ProcConnection> parse_connection(std::string_view text, std::endian byte_order) {
  take_word(text);
  const auto local = endpoint_in(take_word(text), byte_order);
  const auto remote = endpoint_in(take_word(text), byte_order);
  const std::string_view state = take_word(text);
  std::string_view queues = take_word(text);
  take_word(text);
  const auto unacknowledged = number_in<std::uint32_t>(take_until(queues, ':'), 16);
  const auto repeats = number_in<std::uint32_t>(take_word(text), 16);
  if (!local || !remote || !unacknowledged || !repeats || state == kTcpListen) return std::nullopt;
  return ProcConnection{*local, *remote, state == kTcpEstablished, *unacknowledged, *repeats};
}

template <class Keep>
std::vector<ProcSocket> parse_sockets(std::string_view text, std::endian byte_order, Keep&& keep) {
  std::vector<ProcSocket> sockets;
  while (!text.empty()) {
    const auto line = parse_socket(take_until(text, '\n'), byte_order);
    if (line && keep(*line)) sockets.push_back(line->socket);
  }
  return sockets;
}

}  // namespace

std::vector<ProcSocket> parse_udp_sockets(std::string_view text, std::endian byte_order) {
  return parse_sockets(text, byte_order, [](const Line&) { return true; });
}

std::vector<ProcSocket> parse_tcp_listeners(std::string_view text, std::endian byte_order) {
  auto sockets =
      parse_sockets(text, byte_order, [](const Line& line) { return line.state == kTcpListen; });
  for (ProcSocket& socket : sockets) socket.drops = 0;
  return sockets;
}

std::vector<ProcConnection> parse_tcp_connections(std::string_view text, std::endian byte_order) {
  std::vector<ProcConnection> connections;
  while (!text.empty()) {
    const auto connection = parse_connection(take_until(text, '\n'), byte_order);
    if (connection) connections.push_back(*connection);
  }
  return connections;
}

std::optional<std::uint64_t> socket_inode(std::string_view link) {
  constexpr std::string_view kBegin = "socket:[";
  if (!link.starts_with(kBegin) || !link.ends_with(']')) return std::nullopt;
  link.remove_prefix(kBegin.size());
  link.remove_suffix(1);
  return number_in<std::uint64_t>(link, 10);
}

std::optional<std::uint64_t> netstat_counter(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view names = take_until(text, '\n');
    std::string_view values = take_until(text, '\n');
    while (!names.empty()) {
      const std::string_view one = take_word(names);
      const std::string_view value = take_word(values);
      if (one == name) return number_in<std::uint64_t>(value, 10);
    }
  }
  return std::nullopt;
}

std::optional<JavaOptions> parse_java_arguments(std::string_view arguments) {
  constexpr std::string_view kBase = "-Dcatalina.base=";
  std::optional<JavaOptions> options;
  bool prefers_ipv4 = false;
  while (!arguments.empty()) {
    const std::string_view word = take_until(arguments, '\0');
    if (word.starts_with(kBase)) options = JavaOptions{std::string(word.substr(kBase.size()))};
    // The last one counts.
    if (word == "-Djava.net.preferIPv4Stack=true") prefers_ipv4 = true;
    if (word == "-Djava.net.preferIPv4Stack=false") prefers_ipv4 = false;
  }
  if (options) options->prefers_ipv4 = prefers_ipv4;
  return options;
}

bool environment_prefers_ipv4(std::string_view environment) {
  while (!environment.empty()) {
    const std::string_view variable = take_until(environment, '\0');
    const bool read =
        variable.starts_with("JAVA_TOOL_OPTIONS=") || variable.starts_with("JDK_JAVA_OPTIONS=");
    if (read && variable.find("-Djava.net.preferIPv4Stack=true") != variable.npos) return true;
  }
  return false;
}

}  // namespace tribecast::doctor
