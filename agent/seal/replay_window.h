// Which counters were accepted already: a sliding window in the manner of RFC 6479, 2048 wide.
//
// look() never changes anything; accept() is called only after the tag has been checked, so that a
// forgery cannot move the window.
#pragma once

#include <array>
#include <cstdint>

namespace tribecast::seal {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kWidth = 2048;
  // Never accepted (Noise specification, section 5.1); so next() never wraps.
  static constexpr std::uint64_t kReserved = UINT64_MAX;

  // Counters below `floor` are too old from the start.
  explicit ReplayWindow(std::uint64_t floor = 0) : floor_(floor), next_(floor) {}

  enum class Look : std::uint8_t { fresh, seen, too_old };

  [[nodiscard]] Look look(std::uint64_t counter) const {
    if (counter < floor_ || counter == kReserved) return Look::too_old;
    if (counter >= next_) return Look::fresh;
    if (next_ - counter > kWidth) return Look::too_old;
    return (word(counter) & bit(counter)) != 0 ? Look::seen : Look::fresh;
  }

  // Only for a counter that look() calls fresh.
  void accept(std::uint64_t counter) {
    if (counter >= next_) advance(counter);
    words_[index(counter)] |= bit(counter);
  }

  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  static constexpr std::uint64_t kBits = 64;
  // One word more than the width, so that a word is cleared before the window reaches into it.
  static constexpr std::size_t kWords = kWidth / kBits + 1;

  static std::size_t index(std::uint64_t counter) { return counter / kBits % kWords; }
  static std::uint64_t bit(std::uint64_t counter) { return std::uint64_t{1} << counter % kBits; }
  [[nodiscard]] std::uint64_t word(std::uint64_t counter) const { return words_[index(counter)]; }

  void advance(std::uint64_t counter) {
    // The word that holds next_ - 1 is in use; every word behind it, up to the counter's, is new.
    const std::uint64_t first = next_ == 0 ? 0 : (next_ - 1) / kBits + 1;
    const std::uint64_t last = counter / kBits;
    for (std::uint64_t w = first; w <= last && w < first + kWords; ++w) words_[w % kWords] = 0;
    next_ = counter + 1;
  }

  std::uint64_t floor_;
  std::uint64_t next_;  // one above the highest accepted counter
  std::array<std::uint64_t, kWords> words_{};
};

}  // namespace tribecast::seal
