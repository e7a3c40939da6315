// Interceptors: what changes or holds messages between the application and the network, as in
// org.apache.catalina.tribes.group.interceptors. A Stack lists them as server.xml does: a message
// that is sent passes from the first to the last, one that is received from the last to the first,
// so what one puts around a body is taken off in the reverse order. Members of one cluster need the
// same list of those that change bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "engine/channel/message.h"

namespace tribecast::channel {

// Why a received message goes no further.
enum class Drop : std::uint8_t {
  bad_gzip,
  gzip_too_large,
  bad_fragment,
  fragments_expired,  // the others did not come in time, or there was no room for them
  bad_order,
  bad_cipher,      // wrong key, other algorithm, or changed on the way
  replayed,        // seen before (EncryptInterceptor's replay protection)
  stale,           // its time is too far from this host's clock
  foreign_domain,  // DomainFilterInterceptor
};
inline constexpr std::size_t kDropCount = 9;
std::string_view name_of(Drop drop);

class Drops {
 public:
  void count(Drop drop) { ++counts_[static_cast<std::size_t>(drop)]; }
  [[nodiscard]] std::uint64_t operator[](Drop drop) const {
    return counts_[static_cast<std::size_t>(drop)];
  }

 private:
  std::array<std::uint64_t, kDropCount> counts_{};
};

// The two clocks, read once for a whole step.
struct Moment {
  Instant now;
  std::uint64_t wall_milliseconds = 0;  // since 1970: goes into messages
};

struct Context {
  Moment moment;
  const RandomSource& random;
  Drops& drops;
};

using Messages = std::vector<Message>;

class Interceptor {
 public:
  Interceptor() = default;
  Interceptor(const Interceptor&) = delete;
  Interceptor& operator=(const Interceptor&) = delete;
  virtual ~Interceptor() = default;

  // Appends to `out` what becomes of a message for `to`: one, several, or none.
  virtual void send(const Context& context, const tribes::Identity& to, Message message,
                    Messages& out) = 0;
  // The same for one that came; what is wrong is counted and dropped.
  virtual void receive(const Context& context, Message message, Messages& out) = 0;
  // What was held too long goes on to `out`, or is dropped.
  virtual void on_timer(const Context& context, Messages& out);
  // That member is gone.
  virtual void forget(const tribes::Identity& member);
  // Whether what send() does depends on whom to.
  [[nodiscard]] virtual bool sends_alike() const { return true; }
};

class Stack {
 public:
  Stack() = default;
  explicit Stack(std::vector<std::unique_ptr<Interceptor>> from_top)
      : from_top_(std::move(from_top)) {}

  Messages send(const Context& context, const tribes::Identity& to, Message message);
  Messages receive(const Context& context, Message message);
  // Everything that was held too long and goes up now. To be called about once a second.
  Messages on_timer(const Context& context);
  void forget(const tribes::Identity& member);
  // Whether one send() does for all members.
  [[nodiscard]] bool sends_alike() const;

 private:
  // Up through all above the interceptor `below`.
  Messages rise(const Context& context, std::size_t below, Messages messages);

  std::vector<std::unique_ptr<Interceptor>> from_top_;
};

}  // namespace tribecast::channel
