// Views: what an agent knows of the cluster, asked for by the agent of `tribecast doctor --all`.
//
// The relay carries them as bytes that it neither makes nor reads (control/view.h does). Who is
// asked answers each question: with the parts that are missing, or that it is still making them.
// So one that answers nothing is older than the question, or not heard. What is lost is asked for
// again. Drawn in docs/wire-format.md, frames 10 and 11; what is done with them is in
// links_views.cc.
#pragma once

#include <vector>

#include "base/time.h"
#include "relay/actions.h"
#include "relay/frames.h"

namespace tribecast::relay {

// A view answers for so long. Whoever asks, it is not made more often.
inline constexpr Duration kViewFresh = seconds(5);
// Questions to one peer, one after the other.
inline constexpr Duration kViewQuestionInterval = milliseconds(250);
// All views of one roll call together; further parts are dropped and counted (table_full).
inline constexpr std::size_t kMaxRollCallBytes = 4U << 20U;

struct View {
  Instant made;
  Buffer bytes;

  [[nodiscard]] std::size_t parts() const {
    return (bytes.size() + kViewPartBytes - 1) / kViewPartBytes;
  }
  // Valid as long as the view is.
  [[nodiscard]] Bytes part(std::size_t number) const;
};

// One peer's view, as its parts come.
class ViewCollection {
 public:
  [[nodiscard]] ViewQuestion question() const { return {missing_}; }
  // How many bytes more are held then, which may be less than none: another view, newer than the
  // one that is held, replaces it.
  std::ptrdiff_t add(Instant now, const ViewPart& part);
  [[nodiscard]] ViewAnswer answer() const;
  // Whole ones only.
  [[nodiscard]] Buffer bytes() const;
  [[nodiscard]] Duration age(Instant now) const { return now - made_here_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::bitset<kMaxViewParts> missing_ = std::bitset<kMaxViewParts>().set();
  std::vector<Buffer> parts_;
  Stamp made_ = 0;
  Instant made_here_;  // by our clock
  std::size_t size_ = 0;
  bool heard_ = false;
};

}  // namespace tribecast::relay
