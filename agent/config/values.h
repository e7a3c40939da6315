// Text to typed values, one function for each kind of the settings table. An error is what is wrong
// with the text, as one clause: `port 70000 is not in 1-65535`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace tribecast::config {

template <class T>
using Converted = Result<T, std::string>;

Converted<std::string> to_text_value(std::string_view text);
Converted<std::string> to_name(std::string_view text);
Converted<std::string> to_path(std::string_view text);
Converted<bool> to_yes_no(std::string_view text);
Converted<std::uint64_t> to_number(std::string_view text);
Converted<std::uint64_t> to_size(std::string_view text);
Converted<Duration> to_duration(std::string_view text);
Converted<Auth> to_auth(std::string_view text);
// Base64; does not repeat the text, which may be a private key that was mistaken for one.
Converted<std::string> to_public_key(std::string_view text);
Converted<Format> to_format(std::string_view text);

// Never a name, never multicast; kDefaultPort when there is no port.
Converted<Endpoint> to_listen(std::string_view text);

struct GroupAddress {
  Address address;
  std::uint16_t port = 0;  // 0 = any

  bool operator==(const GroupAddress&) const = default;
};
Converted<GroupAddress> to_group_address(std::string_view text);

// Literal addresses come out in their shortest form and names in lower case, so that equal ones
// compare equal.
Converted<PeerAddress> to_peer_address(std::string_view text);

// Lists are separated by commas or blanks; the word for "no restriction" gives an empty one.
Converted<std::vector<std::string>> to_interfaces(std::string_view text);
Converted<std::vector<std::string>> to_names(std::string_view text);
Converted<std::vector<Prefix>> to_prefixes(std::string_view text);

// `10.0.0.0/16 -> 172.31.0.0/16`, several separated by commas; one to one: none overlap.
Converted<std::vector<Translation>> to_rewrites(std::string_view text);

// What is between blanks; nothing else divides words.
std::vector<std::string> to_words(std::string_view text);
Converted<std::string> to_absolute_path(std::string_view text);
// An absolute path and words. There is no shell: what only a shell understands is an error.
Converted<std::string> to_command(std::string_view text);
// A name to be resolved, in lower case, without a dot at its end.
Converted<std::string> to_dns_name(std::string_view text);
// `50%`
Converted<std::uint64_t> to_percentage(std::string_view text);
// `keep`, and why nothing else.
Converted<std::string> to_failure(std::string_view text);

// A duration, or `off`, which is nullopt.
Converted<std::optional<Duration>> to_time_limit(std::string_view text);

// The shortest text that to_duration() reads back.
std::string to_text(Duration duration);

}  // namespace tribecast::config
