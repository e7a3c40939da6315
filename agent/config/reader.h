// Reads the keys of one section instance: known, not twice, of the right kind, in range. What is
// wrong goes to the findings; the caller gets what is right.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "config/scan.h"
#include "config/settings.h"
#include "config/values.h"

namespace tribecast::config {

// `line 5`, or `b.conf:5` when that is another file.
std::string first_at(const Place& first, const Place& second);

class Reader {
 public:
  // Reports unknown keys and keys that occur twice. All arguments must outlive the reader.
  Reader(const Table& table, const SectionEntry& type, const Section& section,
         Diagnostics& findings);

  template <class T>
  struct Found {
    T value;
    const Place* place;  // of the value; of the section when it is the default
  };

  // All values of a repeatable key; the default when it does not occur.
  template <class T>
  std::vector<Found<T>> all(std::string_view key, Converted<T> (*convert)(std::string_view)) {
    const Setting& setting = setting_of(key);
    std::vector<Found<T>> found;
    std::size_t nth = 0;
    for (const std::string& text : texts_of(key)) {
      const Place& place = place_of(key, nth++);
      Converted<T> value = convert(text);
      const std::string wrong =
          value ? beyond_limits(setting, text, *value, convert) : value.error();
      if (wrong.empty()) {
        found.push_back({std::move(*value), &place});
      } else {
        error(place, key, wrong);
      }
    }
    return found;
  }

  // Sets `out` to the value of a key or to its default; leaves it when there is neither or it is
  // wrong. Returns the value's place, nullptr when `out` was left.
  template <class T, class Out>
  const Place* read(std::string_view key, Converted<T> (*convert)(std::string_view), Out& out) {
    auto found = all(key, convert);
    if (found.empty()) return nullptr;
    out = static_cast<Out>(std::move(found.front().value));
    return found.front().place;
  }

  // `why` and `fix` are for keys that must be set.
  void require(std::string_view key, const std::string& fix);

  [[nodiscard]] bool is_given(std::string_view key) const;
  [[nodiscard]] const std::string& label() const { return label_; }
  void error(const Place& place, std::string_view key, const std::string& wrong);

 private:
  template <class T, class Convert>
  std::string beyond_limits(const Setting& setting, const std::string& text, const T& value,
                            Convert convert) {
    constexpr bool kPlain = std::same_as<T, std::uint64_t> || std::same_as<T, Duration>;
    // Or a word that stands for no number, such as `off`.
    constexpr bool kOptional =
        std::same_as<T, std::optional<std::uint64_t>> || std::same_as<T, std::optional<Duration>>;
    if constexpr (kPlain || kOptional) {
      const bool word = kOptional && value == T();
      const bool limited = !setting.low.empty() && !word;
      if (limited && (value < *convert(setting.low) || value > *convert(setting.high))) {
        return text + " is not in " + std::string(setting.low) + "-" + std::string(setting.high);
      }
    }
    return {};
  }

  const Setting& setting_of(std::string_view key) const;
  const std::vector<std::string>& texts_of(std::string_view key) const;
  const Place& place_of(std::string_view key, std::size_t nth) const;
  void check_keys(std::string_view type, KeyValues& good);
  void report_unknown(const Entry& entry, std::string_view type);

  const Table& table_;
  std::string_view type_;
  const Section& section_;
  Diagnostics& findings_;
  std::string label_;  // `peer "b"`, `relay`
  Texts texts_;
};

}  // namespace tribecast::config
