// "Did you mean ...?": the known word that a mistyped one is nearest to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tribecast {

inline constexpr std::size_t kMaxSuggestBytes = 64;

// How many characters must be added, removed, replaced or swapped with their neighbour. Words of
// more than kMaxSuggestBytes are compared by their beginning.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kMaxSuggestBytes);
  b = b.substr(0, kMaxSuggestBytes);
  using Row = std::array<std::uint8_t, kMaxSuggestBytes + 1>;
  Row older{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<std::uint8_t>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<std::uint8_t>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      int best = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      best = std::min({best, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) best = std::min(best, older[j - 2] + 1);
      row[j] = static_cast<std::uint8_t>(best);
    }
    older = last;
    last = row;
  }
  return last[b.size()];
}

// Empty when nothing is near: a third of the word may be wrong, and at least one character.
inline std::string_view closest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  const auto compared = [](std::string_view of) { return std::min(of.size(), kMaxSuggestBytes); };
  for (const std::string_view candidate : known) {
    const std::size_t longer = std::max(compared(word), compared(candidate));
    const std::size_t shorter = std::min(compared(word), compared(candidate));
    if (longer - shorter >= best_distance) continue;  // that many must be added at least
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

// `did you mean 'address'?`, or empty.
inline std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view best = closest(word, known);
  return best.empty() ? std::string() : "did you mean '" + std::string(best) + "'?";
}

}  // namespace tribecast
