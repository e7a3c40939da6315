// The replay window: a numbered table, then a million random operations against a plain set.
#define BOOST_TEST_MODULE replay_window
#include "seal/replay_window.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "vectors.h"

using namespace tribecast;
using seal::ReplayWindow;
using Look = ReplayWindow::Look;

namespace {

constexpr std::uint64_t kWidth = ReplayWindow::kWidth;
constexpr std::uint64_t kLast = UINT64_MAX;

struct Step {
  int number;
  std::uint64_t counter;
  Look expected;  // what is fresh is accepted then
};

void run(ReplayWindow window, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    BOOST_TEST((window.look(step.counter) == step.expected), "step " << step.number);
    if (step.expected == Look::fresh) window.accept(step.counter);
  }
}

// The same rules on a set of all that was accepted.
class Naive {
 public:
  explicit Naive(std::uint64_t floor) : floor_(floor) {}

  [[nodiscard]] Look look(std::uint64_t counter) const {
    if (counter < floor_ || counter == kLast) return Look::too_old;
    if (accepted_.empty() || counter > *accepted_.rbegin()) return Look::fresh;
    if (*accepted_.rbegin() - counter >= kWidth) return Look::too_old;
    return accepted_.contains(counter) ? Look::seen : Look::fresh;
  }
  void accept(std::uint64_t counter) {
    accepted_.insert(counter);
    while (*accepted_.rbegin() - *accepted_.begin() >= kWidth) accepted_.erase(accepted_.begin());
  }
  [[nodiscard]] std::uint64_t next() const {
    return accepted_.empty() ? floor_ : *accepted_.rbegin() + 1;
  }

 private:
  std::uint64_t floor_;
  std::set<std::uint64_t> accepted_;
};

std::uint64_t random_counter(test::Random& random, std::uint64_t next) {
  switch (random.below(8)) {
    case 0:
      return next;
    case 1:
      return next + random.below(5) - 2;
    case 2:
      return next - kWidth + random.below(5) - 2;
    case 3:
      return next + random.below(2 * kWidth + 200);
    case 4:
      return next + (std::uint64_t{1} << random.below(64));
    case 5:
      return (next / 64 + random.below(4)) * 64 + random.below(3) - 1;
    case 6:
      return next - kWidth / 64 * 64 + random.below(3) * 64 - random.below(64);
    default:
      return next - 1 - random.below(kWidth + 10);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(from_zero) {
  run(ReplayWindow(), {
                          {1, 0, Look::fresh},
                          {2, 0, Look::seen},
                          {3, 1, Look::fresh},
                          {4, 3, Look::fresh},
                          {5, 2, Look::fresh},  // reordered
                          {6, 2, Look::seen},
                          {7, 3, Look::seen},
                          {8, 2047, Look::fresh},
                          {9, 0, Look::seen},  // the oldest that is still known
                          {10, 4, Look::fresh},
                          {11, 2048, Look::fresh},
                          {12, 0, Look::too_old},
                          {13, 1, Look::seen},
                          {14, 2049, Look::fresh},
                          {15, 1, Look::too_old},
                          {16, 2046, Look::fresh},
                      });
}

BOOST_AUTO_TEST_CASE(jumps) {
  run(ReplayWindow(), {
                          {1, 5, Look::fresh},
                          {2, 5 + kWidth, Look::fresh},  // exactly one width
                          {3, 5, Look::too_old},
                          {4, 6, Look::fresh},
                          {5, 1000000, Look::fresh},  // everything is new
                          {6, 5 + kWidth, Look::too_old},
                          {7, 1000000 - kWidth, Look::too_old},
                          {8, 1000000 - kWidth + 1, Look::fresh},
                          {9, 1000000 - kWidth + 1, Look::seen},
                          {10, 999999, Look::fresh},
                          {11, std::uint64_t{1} << 60U, Look::fresh},
                          {12, 1000000, Look::too_old},
                          {13, (std::uint64_t{1} << 60U) - 1, Look::fresh},
                      });
}

BOOST_AUTO_TEST_CASE(floors) {
  run(ReplayWindow(100), {
                             {1, 99, Look::too_old},
                             {2, 0, Look::too_old},
                             {3, 100, Look::fresh},
                             {4, 99, Look::too_old},
                             {5, 200, Look::fresh},
                             {6, 150, Look::fresh},
                             {7, 99, Look::too_old},
                             {8, 100, Look::seen},
                         });
  BOOST_TEST(ReplayWindow(100).next() == 100U);
}

// The counter never wraps: Noise reserves 2^64-1 (section 5.1), and it must not bring the window
// back to its beginning.
BOOST_AUTO_TEST_CASE(the_end_of_all_counters) {
  run(ReplayWindow(), {
                          {1, 7, Look::fresh},
                          {2, kLast, Look::too_old},
                          {3, kLast - 1, Look::fresh},
                          {4, kLast - 1, Look::seen},
                          {5, kLast - 2, Look::fresh},
                          {6, kLast - kWidth, Look::fresh},
                          {7, kLast - kWidth - 1, Look::too_old},
                          {8, kLast, Look::too_old},
                          {9, 7, Look::too_old},
                          {10, 0, Look::too_old},
                      });
  run(ReplayWindow(kLast - 3), {
                                   {1, kLast - 4, Look::too_old},
                                   {2, kLast - 3, Look::fresh},
                                   {3, kLast - 1, Look::fresh},
                                   {4, kLast - 2, Look::fresh},
                                   {5, kLast - 3, Look::seen},
                                   {6, kLast, Look::too_old},
                                   {7, 0, Look::too_old},
                               });
}

BOOST_AUTO_TEST_CASE(looking_changes_nothing) {
  ReplayWindow window;
  window.accept(10);
  for (const std::uint64_t counter : {std::uint64_t{11}, std::uint64_t{5000}, kLast - 1}) {
    BOOST_TEST((window.look(counter) == Look::fresh));
  }
  BOOST_TEST((window.look(10) == Look::seen));
  BOOST_TEST((window.look(9) == Look::fresh));
  BOOST_TEST(window.next() == 11U);
}

BOOST_AUTO_TEST_CASE(a_million_operations_agree_with_a_set) {
  test::Random random;
  constexpr int kWindows = 500;
  constexpr int kOperations = 2000;
  for (int i = 0; i < kWindows; ++i) {
    const std::uint64_t floors[] = {0, 1, 63, 64, 65, kWidth, random.below(1 << 20), kLast - 5000};
    const std::uint64_t floor = floors[random.below(std::size(floors))];
    ReplayWindow window(floor);
    Naive naive(floor);
    for (int j = 0; j < kOperations; ++j) {
      const std::uint64_t counter = random_counter(random, naive.next());
      const Look expected = naive.look(counter);
      if (window.look(counter) != expected) {
        BOOST_FAIL("window " << i << " operation " << j << " counter " << counter);
      }
      if (expected != Look::fresh || random.below(10) == 0) continue;  // or a forgery
      // Most big jumps are left out: they would end the interesting part.
      if (counter - naive.next() < kLast / 2 && counter - naive.next() > 100000 &&
          random.below(50) != 0) {
        continue;
      }
      window.accept(counter);
      naive.accept(counter);
      if (window.next() != naive.next()) BOOST_FAIL("window " << i << " operation " << j);
    }
  }
}
