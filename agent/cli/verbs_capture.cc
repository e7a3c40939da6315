#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <optional>

#include "cli/option_value.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/capture.h"
#include "control/json.h"

namespace tribecast::cli {
namespace {

std::chrono::system_clock::time_point time_of(const control::Seen& seen) {
  using Clock = std::chrono::system_clock;
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(
      std::chrono::nanoseconds(static_cast<std::int64_t>(seen.time_nanoseconds))));
}

// `10:31:07.512`, local.
std::string clock_of(const control::Seen& seen) {
  const auto when = time_of(seen);
  const std::time_t whole = std::chrono::system_clock::to_time_t(when);
  std::tm local{};
  localtime_r(&whole, &local);
  std::array<char, 16> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  const std::string ms = std::to_string(1000 + seen.time_nanoseconds / 1'000'000 % 1000);
  return std::string(text.data(), size) + "." + ms.substr(1);
}

// Where datagrams go: lines on standard output, a file, or both nowhere else.
class Sink {
 public:
  explicit Sink(const Invocation& in)
      : json_(in.has("json")), style_(style_of(in)), file_(in.text("write", "")) {}

  // The file is made here, for nobody else to read.
  Result<Done, control::Failure> open() {
    if (file_.empty()) return Done{};
    if (file_ == "-") {
      print(control::pcapng_header());
      return Done{};
    }
    auto made = create_file(file_, control::pcapng_header(), {0600, {}});
    if (made) out_.open(file_, std::ios::binary | std::ios::app);
    return made;
  }
  // False when nobody reads any more, or the file cannot be written.
  bool put(const control::Seen& seen) {
    if (file_ == "-") return print(control::pcapng_block(seen));
    if (!file_.empty()) return static_cast<bool>(out_ << control::pcapng_block(seen));
    return print(json_ ? control::seen_json(seen, control::rfc3339(time_of(seen)), timestamp())
                       : control::seen_text(seen, clock_of(seen), style_));
  }
  // Whole blocks, should it be ended now.
  bool settle() { return !out_.is_open() || static_cast<bool>(out_.flush()); }
  [[nodiscard]] bool failed() const { return out_.is_open() && !out_.good(); }

 private:
  bool json_;
  control::Style style_;
  std::string file_;
  std::ofstream out_;
};

// Until the count is reached, the reader is gone or the agent is.
Exit follow(const Client& client, Sink& sink, std::uint64_t last, std::uint64_t count) {
  while (true) {
    const auto list = client.captured(last);
    if (!list) return complain(list.error());
    for (const control::Seen& seen : list->seen) {
      if (seen.sequence > last + 1) {
        complain({Exit::good, control::counted(seen.sequence - last - 1, "datagram") +
                                  " came too fast to be shown"});
      }
      last = seen.sequence;
      if (!sink.put(seen)) return Exit::good;
      if (--count == 0) return Exit::good;
    }
    if (!sink.settle()) return Exit::good;
  }
}

}  // namespace

Exit run_capture(const Invocation& in) {
  const auto count = number_of(in, "count", std::numeric_limits<std::uint64_t>::max(), 1);
  if (!count) return complain_usage(count.error());
  const Client client = client_of(in);
  const auto begin = client.captured(std::nullopt);
  if (!begin) return complain(begin.error());
  Sink sink(in);
  if (const auto opened = sink.open(); !opened) return complain(opened.error());
  const Exit code = follow(client, sink, begin->last, *count);
  if (!sink.settle() || sink.failed()) {
    return complain(
        {Exit::critical, "cannot write " + in.text("write", "") + ": " + std::strerror(errno)});
  }
  return code;
}

}  // namespace tribecast::cli
