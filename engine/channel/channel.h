// One member of a Tribes cluster, without its sockets: the edge gives it what came and what became
// of what was sent, and carries out the Actions. Single threaded; owns no descriptor.
//
//   datagrams of the group -> Membership -> events -> Application
//   frames of a connection -> notes | Stack -> Application -> acknowledgement, exactly as asked
//   Application's Outbox -> Stack -> frames to a member's connection
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/channel/application.h"
#include "engine/channel/frame.h"
#include "engine/channel/rpc.h"

namespace tribecast::channel {

struct ChannelSettings {
  // As it is announced; its alive time is that of the moment when the Channel was made, so a member
  // keeps its age over a restart by beginning with it.
  tribes::OwnedMember self;
  bool multicast = true;  // whether heartbeats are sent; those that come are heard in any case
  Duration frequency = milliseconds(500);
  // It is asked for the state of starting Tomcats only when nobody else is there: it announces that
  // it is young.
  bool stays_young = false;
  // Option 2 asks for an acknowledgement of the receipt alone. True: it comes when the application
  // is done with the message, as with option 6.
  bool acknowledges_when_done = false;
  MembershipSettings membership;
};

using ConnectionId = std::uint64_t;
using TransmitId = std::uint64_t;

// A body's frames; shared by all members that it goes to and by the edge, until the last has it.
using Frames = std::shared_ptr<const std::vector<Buffer>>;

struct Transmit {
  TransmitId id = 0;
  tribes::Identity to;
  Endpoint endpoint;
  Frames frames;           // in this order, on one connection
  bool wants_ack = false;  // of each frame, before the next
};

struct Probe {
  tribes::Identity member;
  Endpoint endpoint;
  Buffer frame;  // to be written once connected
};

// The frame of this connection is done with; the next one may be read.
struct FrameDone {
  ConnectionId connection = 0;
  std::optional<Acknowledgement> reply;  // to be written first
};

struct Actions {
  std::vector<Buffer> datagrams;  // to the group
  std::vector<FrameDone> done;
  std::vector<Transmit> transmits;
  std::vector<Probe> probes;
  std::vector<MemberEvent> events;           // for the log
  std::vector<tribes::Identity> disconnect;  // connections to it are of no more use
};

struct ChannelCounters {
  std::uint64_t heartbeats = 0;
  std::uint64_t bad_datagrams = 0;
  std::uint64_t refused_senders = 0;  // heartbeats and messages that Membership::admits() refuses
  std::uint64_t frames = 0;
  std::uint64_t bad_frames = 0;
  std::uint64_t notes = 0;
  std::uint64_t repeated = 0;  // messages that had come before
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;     // by the application
  std::uint64_t not_served = 0;  // remote calls
  std::uint64_t sent = 0;        // messages, one for each member
  std::uint64_t send_failed = 0;
  std::uint64_t pending_dropped = 0;  // too many deliveries were pending
};

// Messages to one member since it came.
struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t failed = 0;
  std::uint64_t pending = 0;  // of which no outcome is known yet
};

class Channel {
 public:
  // Messages whose ids are remembered to know a repetition; deliveries that may be pending.
  static constexpr std::size_t kRemembered = 16384;
  static constexpr std::size_t kMaxPending = 65536;

  // The application and the random source must outlive it.
  Channel(ChannelSettings settings, Stack stack, Application& application, RandomSource random,
          Instant now);

  // The first heartbeat, and what static members are told.
  void start(const Moment& moment, Actions& out);
  // The goodbye.
  void stop(const Moment& moment, Actions& out);

  void on_datagram(const Moment& moment, Bytes datagram, Actions& out);
  // One frame's data. The connection's next frame is given when this one is in Actions::done, in
  // this call or a later one. False when the connection is of no more use.
  bool on_frame(const Moment& moment, ConnectionId connection, Bytes data, Actions& out);
  // Its frames that are still pending will not be answered.
  void on_disconnected(ConnectionId connection);
  // Once for each Transmit.
  void on_transmitted(const Moment& moment, TransmitId id, SendOutcome outcome, Actions& out);
  // Once for each Probe.
  void on_probed(const Moment& moment, const tribes::Identity& member, ProbeResult result,
                 Actions& out);
  void on_timer(const Moment& moment, Actions& out);
  [[nodiscard]] Instant next_deadline() const;
  // What the application wants done outside of a call of it, such as when a disk has written.
  void carry_out(const Moment& moment, Outbox outbox, Actions& out);

  [[nodiscard]] const Membership& membership() const { return membership_; }
  [[nodiscard]] const ChannelCounters& counters() const { return counters_; }
  [[nodiscard]] const Drops& drops() const { return drops_; }
  [[nodiscard]] const ChannelSettings& settings() const { return settings_; }
  // Zeros for one that is no member.
  [[nodiscard]] Traffic traffic(const tribes::Identity& member) const;
  // What is announced now.
  [[nodiscard]] std::uint64_t alive_milliseconds(Instant now) const;

 private:
  using MessageKey = std::string;  // its sender and its unique id
  // A frame that is not answered before all that came of it is settled.
  struct OpenFrame {
    ConnectionId connection = 0;
    std::size_t waits_for = 0;
    bool good = true;
  };
  using FrameId = std::uint64_t;
  struct OpenDelivery {
    MessageKey key;
    std::vector<FrameId> frames;  // with those of repetitions
  };
  struct OpenSend {
    SendId id = 0;
    tribes::Identity to;
  };

  [[nodiscard]] Context context(const Moment& moment) { return {moment, random_, drops_}; }
  void beat(const Moment& moment, Bytes command, Actions& out);
  void tell_static(const Moment& moment, Note note, Actions& out);
  void on_note(const Moment& moment, Note note, const tribes::MemberView& sender, Actions& out);
  void follow(const Moment& moment, Membership::News news, Actions& out);
  void deliver_all(const Moment& moment, FrameId frame, Messages messages, Actions& out);
  void deliver(const Moment& moment, FrameId frame, Message message, Actions& out);
  void keep_open(DeliveryId id, FrameId frame, MessageKey key);
  bool is_repeated(FrameId frame, const MessageKey& key);
  static MessageKey key_of(const Message& message);
  void settle(const Settlement& settlement, Actions& out);
  void remember(MessageKey key);
  void release(FrameId frame, bool good, Actions& out);
  void refuse_call(const Moment& moment, const Message& message, Actions& out);
  void send(const Moment& moment, Outgoing outgoing, Actions& out);
  void transmit(const Moment& moment, const tribes::OwnedMember& to, SendId id, Frames frames,
                bool wants_ack, Actions& out);
  Frames frames_for(const Moment& moment, const tribes::Identity& to, const Message& message);
  [[nodiscard]] tribes::OwnedMember self_now(Instant now) const;

  ChannelSettings settings_;
  Stack stack_;
  Application& application_;
  RandomSource random_;
  Membership membership_;
  Instant made_;
  Instant next_beat_;
  std::uint64_t beats_ = 0;
  Drops drops_;
  ChannelCounters counters_;

  std::uint64_t last_id_ = 0;  // of frames, deliveries and transmits
  std::map<FrameId, OpenFrame> open_frames_;
  std::map<DeliveryId, OpenDelivery> open_deliveries_;
  std::unordered_map<MessageKey, DeliveryId> pending_keys_;
  std::unordered_set<MessageKey> known_;
  std::deque<const MessageKey*> known_in_order_;
  std::map<TransmitId, OpenSend> open_sends_;
  std::map<tribes::Identity, Traffic> traffic_;  // of members alone
};

}  // namespace tribecast::channel
