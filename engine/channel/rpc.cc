#include "engine/channel/rpc.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace tribecast::channel {
namespace {

// What of the Java Object Serialization Stream Protocol a call's frame is made of.
constexpr std::uint8_t kNull = 0x70;
constexpr std::uint8_t kClassDescriptor = 0x72;
constexpr std::uint8_t kObject = 0x73;
constexpr std::uint8_t kBlock = 0x77;
constexpr std::uint8_t kEndOfBlocks = 0x78;
constexpr std::uint8_t kLongBlock = 0x7a;
constexpr std::uint8_t kExternalizableWithBlocks = 0x0c;
constexpr std::uint32_t kStreamHeader = 0xaced0005;
constexpr std::size_t kMaxShortBlock = 255;
// ObjectOutputStream divides block data at this size.
constexpr std::size_t kMaxBlock = 1024;

constexpr std::string_view kRpcClass = "org.apache.catalina.tribes.group.RpcMessage";
constexpr std::uint64_t kRpcVersion = 0x712a750ff274e509;
constexpr std::string_view kNoRpcClass =
    "org.apache.catalina.tribes.group.RpcMessage$NoRpcChannelReply";
constexpr std::uint64_t kNoRpcVersion = 0x7bab8fb36a4b5ba6;

void put_descriptor(ByteWriter& out, std::string_view name, std::uint64_t version) {
  out.u8(kClassDescriptor);
  out.u16be(static_cast<std::uint16_t>(name.size()));
  out.put(bytes_of(name));
  out.u64be(version);
  out.u8(kExternalizableWithBlocks);
  out.u16be(0);  // fields
  out.u8(kEndOfBlocks);
}

Buffer beginning(bool served) {
  ByteWriter out;
  out.u32be(kStreamHeader);
  out.u8(kObject);
  if (!served) put_descriptor(out, kNoRpcClass, kNoRpcVersion);
  put_descriptor(out, kRpcClass, kRpcVersion);
  out.u8(kNull);  // no super class
  return out.release();
}

const Buffer& call_beginning() {
  static const Buffer kBytes = beginning(true);
  return kBytes;
}

const Buffer& not_served_beginning() {
  static const Buffer kBytes = beginning(false);
  return kBytes;
}

bool starts(Bytes bytes, Bytes prefix) {
  return bytes.size() >= prefix.size() && same(bytes.first(prefix.size()), prefix);
}

Bytes take_block(ByteReader& in) {
  const std::uint8_t type = in.u8();
  if (type == kBlock) return in.take(in.u8());
  if (type == kLongBlock) return in.take(in.u32be());
  return in.take(in.left() + 1);  // makes it fail
}

}  // namespace

std::optional<RpcView> parse_rpc(Bytes body) {
  const bool not_served = starts(body, not_served_beginning());
  if (!not_served && !starts(body, call_beginning())) return std::nullopt;
  ByteReader in(body.subspan(not_served ? not_served_beginning().size() : call_beginning().size()));
  ByteReader block(take_block(in));
  RpcView rpc;
  rpc.kind = RpcKind::not_served;
  if (!not_served) rpc.kind = block.u8() != 0 ? RpcKind::reply : RpcKind::request;
  rpc.call = block.take(block.u32be());
  rpc.channel = block.take(block.u32be());
  const Bytes rest = in.take_rest();
  if (!in.ok() || !block.ok() || block.left() != 0) return std::nullopt;
  if (rest.empty() || rest.back() != kEndOfBlocks) return std::nullopt;
  rpc.object = rest.first(rest.size() - 1);
  if (not_served != rpc.object.empty()) return std::nullopt;
  return rpc;
}

Buffer compose_rpc(const RpcView& rpc) {
  const bool served = rpc.kind != RpcKind::not_served;
  ByteWriter block;
  if (served) block.u8(rpc.kind == RpcKind::reply ? 1 : 0);
  block.u32be(static_cast<std::uint32_t>(rpc.call.size()));
  block.put(rpc.call);
  block.u32be(static_cast<std::uint32_t>(rpc.channel.size()));
  block.put(rpc.channel);
  TC_CHECK(block.bytes().size() <= kMaxBlock);
  ByteWriter out;
  out.put(served ? call_beginning() : not_served_beginning());
  if (block.bytes().size() <= kMaxShortBlock) {
    out.u8(kBlock);
    out.u8(static_cast<std::uint8_t>(block.bytes().size()));
  } else {
    out.u8(kLongBlock);
    out.u32be(static_cast<std::uint32_t>(block.bytes().size()));
  }
  out.put(block.bytes());
  if (served) out.put(rpc.object);
  out.u8(kEndOfBlocks);
  return out.release();
}

bool RpcCalls::begin(Instant deadline, const CallNumber& number, Wants wants,
                     std::set<tribes::Identity> targets) {
  if (targets.empty() || targets.size() > kMaxCalls || calls_.size() >= kMaxCalls) return false;
  return calls_.emplace(number, Call{deadline, wants, std::move(targets), 0}).second;
}

RpcCalls::Ended RpcCalls::ended(const CallNumber& number, Call& call) {
  return {number, call.answers, {call.waiting.begin(), call.waiting.end()}};
}

RpcCalls::Outcome RpcCalls::on_reply(const tribes::Identity& from, const RpcView& reply) {
  CallNumber number{};
  if (reply.kind == RpcKind::request || reply.call.size() != number.size()) return {};
  std::ranges::copy(reply.call, number.begin());
  const auto it = calls_.find(number);
  if (it == calls_.end() || it->second.waiting.erase(from) == 0) return {};
  const bool served = reply.kind == RpcKind::reply;
  Call& call = it->second;
  Outcome outcome;
  outcome.answer = Answer{number, from, served, copy_of(reply.object)};
  if (served) ++call.answers;
  const bool enough = call.wants == Wants::first_reply && call.answers > 0;
  if (!enough && !call.waiting.empty()) return outcome;
  outcome.ended.push_back(ended(number, call));
  calls_.erase(it);
  return outcome;
}

RpcCalls::Outcome RpcCalls::on_gone(const tribes::Identity& member) {
  Outcome outcome;
  for (auto it = calls_.begin(); it != calls_.end();) {
    Call& call = it->second;
    if (call.waiting.erase(member) == 0 || !call.waiting.empty()) {
      ++it;
      continue;
    }
    Ended over = ended(it->first, call);
    over.silent.push_back(member);
    outcome.ended.push_back(std::move(over));
    it = calls_.erase(it);
  }
  return outcome;
}

RpcCalls::Outcome RpcCalls::on_timer(Instant now) {
  Outcome outcome;
  for (auto it = calls_.begin(); it != calls_.end();) {
    if (now < it->second.deadline) {
      ++it;
      continue;
    }
    outcome.ended.push_back(ended(it->first, it->second));
    it = calls_.erase(it);
  }
  return outcome;
}

Instant RpcCalls::next_deadline() const {
  Instant next = kNever;
  for (const auto& [number, call] : calls_) next = std::min(next, call.deadline);
  return next;
}

}  // namespace tribecast::channel
