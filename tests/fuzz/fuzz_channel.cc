// A channel among strangers: datagrams and frames from anyone, in any order, with settlements,
// probes and the passing of time between them. Each frame that is good is answered once; nothing
// grows without end. An input is a list of steps: a kind, a size, that many bytes.
#include "base/check.h"
#include "engine/channel/channel.h"
#include "engine/channel/fragment.h"
#include "engine/channel/order.h"

namespace {

using namespace tribecast;
using namespace tribecast::channel;

class Fickle : public Application {
 public:
  Receipt receive(const Moment&, const Delivery& delivery, Outbox& out) override {
    if (delivery.body.size() % 3 == 0) {
      Outgoing outgoing;
      outgoing.id = delivery.id;
      outgoing.options = delivery.options & 0xfU;
      outgoing.body = copy_of(delivery.body);
      out.messages.push_back(std::move(outgoing));
    }
    const auto receipt = static_cast<Receipt>(delivery.body.size() % 4);
    if (receipt == Receipt::pending) pending.push_back(delivery.id);
    return receipt;
  }
  void on_member(const Moment&, const MemberEvent& event, Outbox&) override {
    if (event.change == MemberChange::came) ++up;
    if (is_gone(event.change)) --up;
    TC_CHECK(up >= 0);
  }
  void on_sent(const Moment&, SendId id, const tribes::Identity&, SendOutcome, Outbox&) override {
    TC_CHECK(id != 0);
  }
  void on_timer(const Moment&, Outbox&) override {}
  [[nodiscard]] Instant next_deadline() const override { return kNever; }
  [[nodiscard]] bool has_state() const override { return pending.empty(); }

  std::vector<DeliveryId> pending;
  int up = 0;
};

ChannelSettings settings() {
  ChannelSettings made;
  made.self.identity = {{10, 0, 0, 1}, 4000, {}};
  made.membership.max_members = 4;
  made.membership.static_members = {{{Address::v4(0x0a510001), 4000}, std::nullopt, {}}};
  return made;
}

Stack make_stack() {
  std::vector<std::unique_ptr<Interceptor>> from_top;
  from_top.push_back(std::make_unique<Order>(OrderSettings{0x400}));
  return Stack(std::move(from_top));
}

class Run {
 public:
  explicit Run(Bytes input) : in_(input) {
    channel_.start(moment_, actions_);
    follow();
  }

  void all() {
    while (in_.left() > 0) {
      const std::uint8_t kind = in_.u8();
      const Bytes bytes = in_.take(std::min<std::size_t>(in_.u16be() % 512, in_.left()));
      step(kind, bytes);
      follow();
      TC_CHECK(channel_.membership().size() <= 5);
      TC_CHECK(channel_.membership().up().size() == static_cast<std::size_t>(application_.up));
    }
    // Everything that waits is settled and answered in the end.
    while (!application_.pending.empty()) settle(true);
    follow();
    TC_CHECK(waiting_ == 0);
  }

 private:
  void step(std::uint8_t kind, Bytes bytes) {
    switch (kind % 5) {
      case 0:
        return channel_.on_datagram(moment_, bytes, actions_);
      case 1:
        ++waiting_;
        if (!channel_.on_frame(moment_, 1, bytes, actions_)) --waiting_;
        return;
      case 2:
        return settle(kind % 2 == 0);
      case 3:
        moment_.now += milliseconds(250) * (1 + kind);
        moment_.wall_milliseconds += 250U * (1U + kind);
        return channel_.on_timer(moment_, actions_);
      default:
        outcome_ = static_cast<ProbeResult>(kind % 3);
    }
  }

  void settle(bool good) {
    if (application_.pending.empty()) return;
    Outbox outbox;
    outbox.settled.push_back({application_.pending.back(), good});
    application_.pending.pop_back();
    channel_.carry_out(moment_, std::move(outbox), actions_);
  }

  // Carries out what came, until nothing comes of it.
  void follow() {
    for (int i = 0; i < 16; ++i) {
      const Actions now = std::exchange(actions_, {});
      waiting_ -= static_cast<int>(now.done.size());
      TC_CHECK(waiting_ >= 0);
      for (const Probe& probe : now.probes) {
        channel_.on_probed(moment_, probe.member, outcome_, actions_);
      }
      for (const Transmit& transmit : now.transmits) {
        channel_.on_transmitted(moment_, transmit.id, SendOutcome::failed, actions_);
      }
      if (now.probes.empty() && now.transmits.empty()) return;
    }
  }

  ByteReader in_;
  Moment moment_{Instant(seconds(1)), 1700000000123};
  Fickle application_;
  Channel channel_{settings(), make_stack(), application_,
                   [](MutableBytes out) { std::ranges::fill(out, std::uint8_t{9}); }, moment_.now};
  Actions actions_;
  ProbeResult outcome_ = ProbeResult::reached;
  int waiting_ = 0;  // frames that are not done
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(Bytes(data, size)).all();
  return 0;
}
