// A member that takes in every message, keeps none and serves no call: the engine while there is no
// store of sessions above its channel. It has no state to give, and so announces that it is young.
#pragma once

#include "engine/channel/application.h"

namespace tribecast::engine {

class Witness : public channel::Application {
 public:
  channel::Receipt receive(const channel::Moment& /*moment*/, const channel::Delivery& /*delivery*/,
                           channel::Outbox& /*out*/) override {
    return channel::Receipt::not_served;
  }
  void on_member(const channel::Moment& /*moment*/, const channel::MemberEvent& /*event*/,
                 channel::Outbox& /*out*/) override {}
  void on_sent(const channel::Moment& /*moment*/, channel::SendId /*id*/,
               const tribes::Identity& /*to*/, channel::SendOutcome /*outcome*/,
               channel::Outbox& /*out*/) override {}
  void on_timer(const channel::Moment& /*moment*/, channel::Outbox& /*out*/) override {}
  [[nodiscard]] Instant next_deadline() const override { return kNever; }
  [[nodiscard]] bool has_state() const override { return false; }
};

}  // namespace tribecast::engine
