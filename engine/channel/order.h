// OrderInterceptor: messages of a member are given up in the order in which it sent them.
//
//   body  u32 number, from 1, one count for each destination
#pragma once

#include <cstddef>
#include <map>

#include "engine/channel/interceptor.h"

namespace tribecast::channel {

struct OrderSettings {
  std::uint32_t option_flag = 0;  // only messages with these options are numbered; 0 = all
  Duration expiry = seconds(3);   // then a later one waits no more for one that is missing
  std::size_t max_held = 4096;    // of one member; then they wait no more
  std::size_t max_held_bytes = 64U << 20U;  // likewise, of all members
  std::size_t max_members = 4096;
};

class Order : public Interceptor {
 public:
  explicit Order(OrderSettings settings) : settings_(settings) {}

  void send(const Context& context, const tribes::Identity& to, Message message,
            Messages& out) override;
  void receive(const Context& context, Message message, Messages& out) override;
  void on_timer(const Context& context, Messages& out) override;
  // Numbers begin anew. What is held of it is given up with the next on_timer().
  void forget(const tribes::Identity& member) override;
  [[nodiscard]] bool sends_alike() const override { return false; }

 private:
  struct Held {
    Instant since;
    Message message;
  };
  struct Incoming {
    std::uint32_t expected = 1;
    std::map<std::uint32_t, Held> held;
    bool gone = false;
  };

  [[nodiscard]] bool is_numbered(std::uint32_t options) const {
    return (options & settings_.option_flag) == settings_.option_flag;
  }
  void release(Incoming& from, Messages& out);
  void release_first(Incoming& from, Messages& out);

  OrderSettings settings_;
  std::map<tribes::Identity, std::uint32_t> sent_;
  std::map<tribes::Identity, Incoming> received_;
  std::size_t held_bytes_ = 0;
};

}  // namespace tribecast::channel
