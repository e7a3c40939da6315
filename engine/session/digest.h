// Digests by which two engines find out that they hold the same. They find accidents, not
// forgeries, and are the same on every host and in every build.
#pragma once

#include <cstdint>
#include <string_view>

namespace tribecast::session {

// The last step of splitmix64: each bit of the result depends on each bit of `x`.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

// FNV-1a.
constexpr std::uint64_t digest_of(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325U;
  for (const char c : text) {
    digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return mixed(digest);
}

}  // namespace tribecast::session
