#include "relay/path_size.h"

#include <algorithm>

namespace tribecast::relay {

std::optional<std::size_t> PathSize::next_test(Instant now) {
  if (tries_ >= kTries) failed(now);
  if (now >= raise_at_) {
    raise_at_ = kNever;
    ceiling_ = kSizes.size();
    if (usable_ + 1 < ceiling_) test_next(usable_ + 1, now);
  }
  if (now < next_) return std::nullopt;
  ++tries_;
  return kSizes[testing_];
}

void PathSize::on_answer(Instant now, std::size_t size) {
  if (size != kSizes[testing_] || tries_ == 0) return;  // of an earlier test
  usable_ = testing_;
  proven_ = true;
  if (testing_ + 1 < ceiling_) return test_next(testing_ + 1, now);
  if (raise_at_ == kNever && ceiling_ < kSizes.size()) raise_at_ = now + kRaise;
  test_next(usable_, now + kConfirm);
}

void PathSize::failed(Instant now) {
  ceiling_ = testing_;
  raise_at_ = now + kRaise;
  if (testing_ > usable_) return test_next(usable_, now + kConfirm);
  // What got through no longer does: a black hole. The smallest size is never given up.
  proven_ = false;
  usable_ = std::max<std::size_t>(testing_, 1) - 1;
  test_next(usable_, now);
}

void PathSize::test_next(std::size_t index, Instant at) {
  testing_ = index;
  tries_ = 0;
  next_ = at;
}

std::optional<std::size_t> PathSize::proven() const {
  return proven_ ? std::optional<std::size_t>(usable()) : std::nullopt;
}

}  // namespace tribecast::relay
