// A page in the Prometheus text format, written sample by sample: what metrics.cc and
// engine_metrics.cc share.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace tribecast::control::metrics_page {

using Value = std::optional<double>;

struct Label {
  std::string_view name;
  std::string_view value;
};

struct Family {
  std::string_view name;  // without `tribecast_`
  std::string_view help;
};

// Exposition formats, "text-based format": backslash, double quote and line feed are escaped;
// printable() leaves no line feed.
inline std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : printable(value)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

inline std::string number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

class Page {
 public:
  // The samples that follow belong to it; one without samples is left out.
  void gauge(const Family& family) { begin(family, "gauge"); }
  void counter(const Family& family) { begin(family, "counter"); }

  void add(std::initializer_list<Label> labels, const Value& value) {
    if (value) sample(labels, number(*value));
  }
  void count(std::initializer_list<Label> labels, std::uint64_t value) {
    sample(labels, std::to_string(value));
  }
  [[nodiscard]] std::string text() && { return std::move(out_); }

 private:
  void begin(const Family& family, std::string_view type) {
    name_ = "tribecast_" + std::string(family.name);
    header_ = "# HELP " + name_ + " " + std::string(family.help) + "\n# TYPE " + name_ + " " +
              std::string(type) + "\n";
  }
  void sample(std::initializer_list<Label> labels, const std::string& value) {
    out_ += std::exchange(header_, "") + name_;
    char before = '{';
    for (const Label& label : labels) {
      out_ += before + std::string(label.name) + "=\"" + escaped(label.value) + "\"";
      before = ',';
    }
    out_ += (labels.size() == 0 ? " " : "} ") + value + "\n";
  }

  std::string name_;
  std::string header_;
  std::string out_;
};

inline double flag(bool on) { return on ? 1 : 0; }

}  // namespace tribecast::control::metrics_page
