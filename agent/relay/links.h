// The sealed links to all peers: handshakes, sessions, data keys, probes. What travels inside is
// the relay core's business.
//
// A link lives through: initiation (Noise message 1, repeated after 250 ms, 500 ms, then every
// second) -> response -> the initiator confirms with the first sealed frames, which carry its data
// key -> the responder, now sure of a fresh peer, answers with its own. Data is sealed once, under
// the sender's data key, for all peers; where peers have public keys, for each one under a data key
// of its own. Rules for loss, restart and rotation: docs/wire-format.md.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "relay/actions.h"
#include "relay/link.h"
#include "relay/settings.h"
#include "seal/envelope.h"
#include "seal/node_key.h"

namespace tribecast::relay {

// How long a peer may say nothing and still be live, and how long it is sent to after a goodbye.
inline constexpr Duration kSilentTime = seconds(2);
inline constexpr Duration kGoodbyeGrace = seconds(10);
inline constexpr Duration kProbeInterval = milliseconds(500);
// A live peer that was not heard for longer than its probes are apart is asked for an answer at
// this pace, until it is heard or silent: so that on a path that loses a third nobody looks silent.
inline constexpr Duration kDoubtTime = milliseconds(550);
inline constexpr Duration kDoubtInterval = milliseconds(50);
inline constexpr Duration kRekeyInterval = seconds(120);
inline constexpr Duration kSessionLifetime = seconds(180);
// A goodbye of a member is repeated at this pace until a peer has acknowledged it, for so long.
inline constexpr Duration kNoticeInterval = milliseconds(50);
inline constexpr Duration kNoticeTime = seconds(2);

// A data datagram that was opened and never seen before.
struct Received {
  Link* link = nullptr;  // valid until the next call to Links
  std::uint64_t counter = 0;
  std::uint8_t piece = 0;
  std::uint8_t pieces = 1;
  Stamp captured = 0;
  Endpoint group;
  Endpoint source;
  Buffer payload;
};

struct PeerReport {
  std::string name;
  std::string site;
  std::string version;
  PeerState state = PeerState::silent;
  bool agentless = false;
  std::optional<std::uint64_t> instance;  // of its process; nullopt: no session
  std::optional<Endpoint> endpoint;
  std::optional<Duration> round_trip;
  std::optional<Duration> jitter;
  std::optional<double> loss_in;             // what the peer sends
  std::optional<double> loss_out;            // what we send, as the peer says
  std::optional<std::size_t> path_datagram;  // the largest UDP payload that gets through
  std::optional<Duration> clock_offset;      // its wall clock less ours
  std::optional<Duration> since_heard;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  ReasonCounters rejected;
  // Which ring keys the sessions in use were made with: what we send in, what it last spoke in.
  // They differ while a session is renewed. nullopt: no session.
  std::optional<std::uint8_t> ring_id;
  std::optional<std::uint8_t> heard_ring_id;
  std::vector<RingEntry> ring;  // what the peer holds, its primary key first; empty = not known
};

class Links {
 public:
  explicit Links(RandomSource random);

  // Applies what differs; peers that stay keep their sessions. A peer that leaves, or a ring key
  // that a session was made with, replaces the data key at once; any other ring key that leaves,
  // as soon as all peers hold the next one. After a change of the primary key all sessions are
  // renewed with it.
  // With another key pair of our own everything begins anew, as with another public key of a peer.
  void configure(Instant now, const Settings& settings, const seal::Credentials& credentials,
                 Actions& out);
  // The addresses that a peer's names stand for now. An empty list keeps what was known.
  void set_endpoints(Instant now, const std::string& peer, std::vector<Endpoint> endpoints);
  void set_local_addresses(const std::vector<Address>& addresses);
  // Our wall clock less our monotonic one; for people only, decides nothing.
  void set_wall_clock(Duration offset) { wall_offset_ = offset; }

  // Handles everything but data; data comes back opened.
  std::optional<Received> on_datagram(Instant now, const Path& from, Bytes datagram, Actions& out);
  void on_timer(Instant now, Actions& out);
  [[nodiscard]] Instant next_deadline() const;

  struct Outgoing {
    Stamp captured = 0;
    Endpoint group;
    Endpoint source;
    Bytes payload;
  };
  // Seals once and sends to every live peer that takes part in the group, as many copies as the
  // peer is configured to get; a peer without an agent gets the datagram itself, once. Returns how
  // many peers.
  std::size_t send(Instant now, const std::string& group, const Outgoing& outgoing, Actions& out);
  // A member's goodbye, which comes once and must not be lost: sent again, the same sealed bytes,
  // to each peer that does not acknowledge it. A peer that becomes live within `still_new` is told
  // as well. `subject` names the member, for withdraw_notice().
  std::size_t send_notice(Instant now, const std::string& subject, const std::string& group,
                          const Outgoing& outgoing, Duration still_new, Actions& out);
  // The member is alive after all: nobody else is told.
  void withdraw_notice(const std::string& subject);
  [[nodiscard]] bool has_notices() const { return !notices_.empty(); }
  // What came in this data datagram was a goodbye. Repeated when the datagram comes again.
  void acknowledge(Link& link, std::uint64_t counter, Actions& out);

  // Asks for an answer right now; the stamp returns in Actions::answers. nullopt: no such peer, or
  // no session with it.
  std::optional<Stamp> ping(Instant now, const std::string& peer, Actions& out);
  // Something of this peer could not be dated: ask for its clock.
  void ask_clock(Instant now, Link& link, Actions& out);
  void say_goodbye(Instant now, Actions& out);

  // Asks every peer that is heard for its view, again where something is lost, until all have
  // answered and for `time` at most; then Actions::roll_call. While one goes on: joins it.
  void call_roll(Instant now, Duration time, Actions& out);
  // Our own view, which answers those who ask for kViewFresh. At most kMaxViewBytes.
  void set_view(Instant now, Buffer view);

  // A peer that was live and has said nothing for its dead time.
  struct Silence {
    std::string peer;
    Endpoint endpoint;
    Duration lasts{};
  };
  [[nodiscard]] std::vector<Silence> silences(Instant now) const;
  [[nodiscard]] bool is_silent(Instant now, const std::string& peer) const;
  // When the next one begins, or is shown (kSilentTime), if nothing more is heard; kNever when that
  // is not within a probe interval.
  [[nodiscard]] Instant next_silence(Instant now) const;

  [[nodiscard]] std::vector<PeerReport> report(Instant now) const;
  [[nodiscard]] std::uint64_t instance() const { return instance_; }
  // What could not be laid at any peer's door.
  [[nodiscard]] const ReasonCounters& strangers() const { return strangers_; }

 private:
  // links.cc: peers, their states, probes, timers.
  void add_peer(Instant now, const PeerSettings& settings);
  void remove_peer(const std::string& name);
  bool drop_ring_key(std::uint8_t id);
  void renew_sessions(Instant now);
  [[nodiscard]] Link* find(const std::string& name);
  [[nodiscard]] Link* find_by_endpoint(const Endpoint& endpoint);
  [[nodiscard]] Link* find_by_key(const seal::PublicKey& key);
  [[nodiscard]] bool by_key() const { return own_.has_value(); }
  void index_endpoints();
  void refuse(Link* link, Reason reason);
  void heard(Instant now, Link& link);
  [[nodiscard]] bool is_live(Instant now, const Link& link) const;
  [[nodiscard]] static bool is_silent(Instant now, const Link& link);
  [[nodiscard]] PeerState state_of(Instant now, const Link& link) const;
  void tell_changes(Instant now, Link& link, Actions& out);
  void tick(Instant now, Link& link, Actions& out);
  [[nodiscard]] bool is_doubtful(Instant now, const Link& link) const;
  void ask_doubtful(Instant now, Actions& out);
  [[nodiscard]] Probe make_probe(Instant now, Link& link, bool answer_now);
  [[nodiscard]] Measures make_measures(Instant now, const Link& link) const;
  void send_probe(Instant now, Link& link, bool answer_now, Actions& out);
  void test_path(Instant now, Link& link, Actions& out);
  void send_frames(Link& link, Session& session, const Frames& frames, Actions& out);

  // links_hearsay.cc: who hears us, as others say.
  void note_deaf();
  void add_hearsay(Instant now, Link& link, Frames& frames) const;
  void on_hearsay(Instant now, const Link& teller, const Frames& frames, Actions& out);
  static bool note_hearsay(Instant now, Link& deaf, const Endpoint& teller);
  [[nodiscard]] static bool is_heard_by(Instant now, const Link& link);

  // links_data.cc: data and its keys; send() and on_datagram() too.
  std::size_t send_plain(const std::string& group, const Outgoing& outgoing, Actions& out);
  std::optional<Received> on_data(Instant now, const seal::Envelope& envelope, Actions& out);
  std::optional<Received> open_data(Instant now, Link& link, GrantedKey& granted,
                                    const seal::Envelope& envelope, Bytes plain, Actions& out);
  [[nodiscard]] DataKey new_data_key(Instant now);
  [[nodiscard]] const DataKeys& keys_for(const Link& link) const;
  [[nodiscard]] std::vector<Link*> all_links() const;
  void replace_data_key(Instant now, Actions& out);
  void prepare_data_key(Instant now, DataKeys& keys, const std::vector<Link*>& holders,
                        Actions& out);
  void rotate_data_key(Instant now, DataKeys& keys, const std::vector<Link*>& holders,
                       Actions& out);
  void rotate_data_keys(Instant now, Actions& out);
  [[nodiscard]] std::vector<KeyGrant> grants_for(const Link& link) const;
  // The same bytes for these peers.
  struct Sealed {
    std::vector<Link*> to;
    std::vector<Buffer> datagrams;
  };
  std::vector<Sealed> seal_for(const std::vector<Link*>& to, const Outgoing& outgoing);
  std::vector<Buffer> seal(const Outgoing& outgoing, const DataKey& key, std::size_t max_datagram);
  [[nodiscard]] std::size_t max_datagram(const std::vector<Link*>& to) const;
  [[nodiscard]] static std::vector<Path> paths_of(const std::vector<Link*>& links);

  // links_repeat.cc: what is sent more than once.
  struct Copy {
    Instant at;
    Buffer datagram;
    std::vector<Path> to;
  };
  // Sealed once for these peers; those that have acknowledged it are taken off.
  struct NoticeBatch {
    std::uint64_t first_counter = 0;
    std::vector<Buffer> datagrams;
    std::vector<Link*> waiting;
    Instant ends;
  };
  struct Notice {
    std::string subject;
    std::string group;
    Stamp captured = 0;
    Endpoint destination;
    Endpoint source;
    Buffer payload;
    Instant still_new_until;
    std::vector<Link*> told;
    std::vector<NoticeBatch> batches;
  };
  void schedule_copies(Instant now, const Sealed& sealed);
  std::size_t tell(Instant now, Notice& notice, Actions& out);
  void repeat(Instant now, Actions& out);
  void repeat_notices(Instant now, Actions& out);
  void send_ack(Link& link, std::uint64_t counter, Actions& out);
  void on_ack(Link& link, std::uint64_t counter);
  void forget_repeats(const Link& link);

  // links_views.cc: roll calls, ours and others'.
  void on_view_question(Instant now, Link& link, const ViewQuestion& question, Actions& out);
  void on_view_part(Instant now, Link& link, const ViewPart& part, Actions& out);
  void send_view_part(Instant now, Link& link, std::size_t part, Actions& out);
  void ask_views(Instant now, Actions& out);
  void end_roll_call(Instant now, Actions& out);

  // links_handshake.cc: how sessions come about, and frames of one peer.
  void give_up_initiation(Link& link);
  void initiate(Instant now, Link& link, Actions& out);
  void schedule_attempt(Instant at, Link& link);
  [[nodiscard]] static std::optional<Path> next_path(Link& link);
  // An initiation that verified, and whose it is.
  struct Opened {
    Link* link = nullptr;
    seal::Handshake handshake;
    Greeting greeting;
  };
  void on_init(Instant now, const Path& from, const seal::Envelope& envelope, Actions& out);
  std::optional<Opened> open_init(Instant now, const Path& from, const seal::Envelope& envelope,
                                  Actions& out);
  void report_stranger(const Path& from, std::string text, Actions& out);
  void respond(Instant now, const Path& from, Opened& opened, const seal::Header& header,
               Actions& out);
  [[nodiscard]] static bool is_replay(Link& link, const Greeting& greeting);
  void on_response(Instant now, const Path& from, const seal::Envelope& envelope, Actions& out);
  void on_pair(Instant now, const Path& from, const seal::Envelope& envelope, Actions& out);
  void on_frames(Instant now, Link& link, const Frames& frames, Actions& out);
  void note_ring(Instant now, Link& link, const std::vector<RingEntry>& ring);
  void on_probe(Instant now, Link& link, const Probe& probe, Actions& out);
  void on_measures(Instant now, Link& link, const Probe& probe, const Measures& measures);
  void accept_grant(Instant now, Link& link, const KeyGrant& grant);
  void confirm(Instant now, Link& link, Session session, Actions& out);
  void forget_sessions(Link& link);
  void forget_grants(Link& link, std::size_t but_newest = 0);
  // Where it is heard now is no endpoint of its: remembered, to begin there.
  static void note_move(Link& link);
  [[nodiscard]] std::uint32_t new_index();
  [[nodiscard]] seal::KeyPair new_ephemeral();

  // links_by_key.cc: what differs in the handshake when peers have public keys.
  [[nodiscard]] static Buffer prologue_of(const seal::Header& init);
  [[nodiscard]] std::optional<seal::Key> psk_of(std::uint8_t ring_id) const;
  [[nodiscard]] seal::Handshake new_initiator(const Link& link, const seal::Header& header) const;
  [[nodiscard]] Buffer handshake_datagram(const Link& link, const seal::Header& header,
                                          Bytes message) const;
  // The Noise message of a handshake datagram; nullopt when its mac is not for us.
  [[nodiscard]] std::optional<Bytes> message_of(const seal::Envelope& envelope) const;
  std::optional<Opened> open_key_init(Instant now, const Path& from, const seal::Envelope& envelope,
                                      Actions& out);
  std::optional<Opened> refuse_init(Instant now, Link* link, Reason reason);
  void on_other_mode(Instant now, const Path& from);

  Settings settings_;
  seal::Keyring ring_;
  std::optional<seal::KeyPair> own_;  // set: every peer is known by its public key
  std::vector<RingEntry> told_ring_;
  RandomSource random_;
  std::uint64_t instance_;
  std::vector<Address> local_addresses_;
  std::optional<Duration> wall_offset_;

  std::vector<std::unique_ptr<Link>> links_;
  std::unordered_map<std::uint32_t, Link*> by_index_;        // sessions and initiations
  std::unordered_multimap<std::uint32_t, Link*> by_key_id_;  // granted data keys
  std::unordered_map<Endpoint, Link*, EndpointHash> by_endpoint_;
  std::unordered_map<Address, Link*, AddressHash> by_address_;  // nullptr: several peers
  std::vector<Link*> roamers_;  // with prefixes, and no key that tells who it is
  bool endpoints_indexed_ = true;

  DataKeys shared_keys_;       // for all peers, where they have no public keys
  std::uint64_t counter_ = 0;  // of all data ever sealed by this instance

  Instant next_tick_ = kNever;
  Instant next_attempt_ = kNever;  // not later than the earliest of all links
  Instant grant_retry_ = kNever;
  Instant next_doubt_ = kNever;

  std::vector<std::uint64_t> deaf_;  // the instances that hear us not, as of the last tick

  std::deque<Copy> copies_;  // in order of their time
  std::deque<Notice> notices_;
  Instant next_notice_ = kNever;

  std::optional<View> view_;  // ours, as somebody asked for it
  Instant next_question_ = kNever;
  Instant roll_call_ends_ = kNever;
  std::size_t collected_bytes_ = 0;

  // How many handshakes by key may cost curve arithmetic now.
  TokenBucket known_rate_;
  TokenBucket unknown_rate_;

  ReasonCounters strangers_;
  std::vector<Address> reported_strangers_;
};

}  // namespace tribecast::relay
