// Remote calls between members: org.apache.catalina.tribes.group.RpcMessage, one externalizable
// object in a Java stream, with one object inside: what is asked or answered. That object is not
// looked into here. Its handles are counted on from 0x7e0002, behind the descriptor and the object
// around it, so who writes one for compose_rpc() begins there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "tribes/owned_member.h"

namespace tribecast::channel {

// The first handle that an object inside a remote call takes.
inline constexpr std::uint32_t kFirstRpcHandle = 0x7e0002;

enum class RpcKind : std::uint8_t {
  request,
  reply,
  not_served,  // RpcMessage$NoRpcChannelReply: nobody there has that channel
};

// Borrowed; valid while the body is.
struct RpcView {
  RpcKind kind = RpcKind::request;
  Bytes call;     // the caller's number of it, 16 bytes; the same in request and reply
  Bytes channel;  // rpcId: who is meant, `localhost#/app-map`
  Bytes object;  // of a Java stream without its header; a null is one byte, 0x70. Empty: not_served
};

// nullopt when it is no remote call, or none of this form, which all releases write.
std::optional<RpcView> parse_rpc(Bytes body);
Buffer compose_rpc(const RpcView& rpc);

// Replies are sent with these options; requests without kAsynchronous (RpcChannel).
inline constexpr std::uint32_t kReplyOptions = 0;

using CallNumber = std::array<std::uint8_t, 16>;

// Calls that this member has made and that are not answered yet.
class RpcCalls {
 public:
  // A call to more members than this, or one more call than this, is not begun.
  static constexpr std::size_t kMaxCalls = 1024;

  enum class Wants : std::uint8_t { first_reply, all_replies };

  struct Answer {
    CallNumber number{};
    tribes::Identity from;
    bool served = true;
    Buffer object;
  };
  struct Ended {
    CallNumber number{};
    std::size_t answers = 0;
    std::vector<tribes::Identity> silent;  // did not answer in time, or are gone
  };
  struct Outcome {
    std::optional<Answer> answer;
    std::vector<Ended> ended;
  };

  // False when too many are open, or this number is in use.
  bool begin(Instant deadline, const CallNumber& number, Wants wants,
             std::set<tribes::Identity> targets);
  // A reply; one that nobody waits for (Tomcat's `leftOver`) has no outcome.
  Outcome on_reply(const tribes::Identity& from, const RpcView& reply);
  // That member answers no more.
  Outcome on_gone(const tribes::Identity& member);
  Outcome on_timer(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t open() const { return calls_.size(); }

 private:
  struct Call {
    Instant deadline;
    Wants wants = Wants::first_reply;
    std::set<tribes::Identity> waiting;
    std::size_t answers = 0;
  };
  static Ended ended(const CallNumber& number, Call& call);

  std::map<CallNumber, Call> calls_;
};

}  // namespace tribecast::channel
