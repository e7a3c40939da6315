// FragmentationInterceptor: a body that is too long goes in pieces, messages of one unique id.
//
//   whole:  body  u8 0
//   piece:  part of the body  u32 index, from 0  u32 count  u8 1
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "engine/channel/interceptor.h"

namespace tribecast::channel {

struct FragmentSettings {
  std::size_t piece_bytes = 102400;  // maxSize
  Duration expiry = seconds(60);     // of pieces whose others do not come
  std::size_t max_count = 65536;     // pieces of one message
  std::size_t max_messages = 1024;   // that are not whole yet
  std::size_t max_bytes = 256U << 20U;
};

class Fragmentation : public Interceptor {
 public:
  explicit Fragmentation(FragmentSettings settings) : settings_(settings) {}

  void send(const Context& context, const tribes::Identity& to, Message message,
            Messages& out) override;
  void receive(const Context& context, Message message, Messages& out) override;
  void on_timer(const Context& context, Messages& out) override;
  void forget(const tribes::Identity& member) override;

  [[nodiscard]] std::size_t held_bytes() const { return bytes_; }

 private:
  using Key = std::pair<tribes::Identity, Buffer>;  // sender and unique id
  struct Group {
    Instant began;
    std::vector<Buffer> pieces;
    std::vector<bool> there;
    std::size_t missing = 0;
    std::size_t bytes = 0;
  };
  using Groups = std::map<Key, Group>;

  void collect(const Context& context, Message message, std::uint32_t index, std::uint32_t count,
               Messages& out);
  bool make_room(const Context& context, std::size_t bytes);
  Groups::iterator drop(Groups::iterator it);

  FragmentSettings settings_;
  Groups groups_;
  std::size_t bytes_ = 0;
};

}  // namespace tribecast::channel
