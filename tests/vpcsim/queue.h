// Packets that arrive later, in the order of their arrival; those of one instant in the order in
// which they came. Bounded in number and bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "vpcsim/command.h"

namespace tribecast::vpcsim {

struct Delivery {
  Instant at;
  HostId from = 0;
  HostId to = 0;
  Buffer packet;
};

class Queue {
 public:
  static constexpr std::size_t kMaxPackets = 65536;
  static constexpr std::size_t kMaxBytes = std::size_t{128} << 20U;

  // False when there is no room.
  bool push(Delivery delivery) {
    if (heap_.size() >= kMaxPackets || bytes_ + delivery.packet.size() > kMaxBytes) return false;
    bytes_ += delivery.packet.size();
    heap_.push_back({std::move(delivery), pushed_++});
    std::ranges::push_heap(heap_, later);
    return true;
  }

  // kNever when nothing waits.
  [[nodiscard]] Instant next() const { return heap_.empty() ? kNever : heap_.front().delivery.at; }

  // The first; something must wait.
  Delivery pop() {
    std::ranges::pop_heap(heap_, later);
    Delivery first = std::move(heap_.back().delivery);
    heap_.pop_back();
    bytes_ -= first.packet.size();
    return first;
  }

  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Delivery delivery;
    std::uint64_t number = 0;
  };

  static bool later(const Entry& a, const Entry& b) {
    return std::pair(a.delivery.at, a.number) > std::pair(b.delivery.at, b.number);
  }

  std::vector<Entry> heap_;
  std::size_t bytes_ = 0;
  std::uint64_t pushed_ = 0;
};

}  // namespace tribecast::vpcsim
