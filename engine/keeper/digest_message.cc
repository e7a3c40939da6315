#include "engine/keeper/digest_message.h"

#include <string_view>

#include "engine/keeper/answers.h"

namespace tribecast::keeper {
namespace {

constexpr std::uint8_t kLast = 1;
constexpr std::uint8_t kAnew = 2;
constexpr std::size_t kMaxText = 65535;

// Names of contexts and ids came in Java's writeUTF, which has the same limit.
void put_text(ByteWriter& out, std::string_view text) {
  text = text.substr(0, kMaxText);
  out.u16be(static_cast<std::uint16_t>(text.size()));
  out.put(bytes_of(text));
}

std::string take_text(ByteReader& in) { return text_of(in.take(in.u16be())); }

// One after the other, up to the end.
template <class T, class Take>
std::optional<std::vector<T>> take_all(ByteReader& in, Take take) {
  std::vector<T> all;
  while (in.ok() && in.left() > 0) all.push_back(take(in));
  return in.ok() ? std::optional(std::move(all)) : std::nullopt;
}

KnownSession take_known(ByteReader& in) {
  KnownSession known;
  known.id = take_text(in);
  known.version.time_ms = session::time_within(static_cast<std::int64_t>(in.u64be()));
  known.version.digest = in.u64be();
  return known;
}

}  // namespace

session::Message engine_message(EngineEvent event, Buffer payload, std::int64_t time_ms) {
  return {.event = static_cast<std::int32_t>(event),
          .time_ms = time_ms,
          .context = std::string(kEveryContext),
          .session_id = {},
          .payload = std::move(payload)};
}

Buffer compose(const std::vector<ContextDigest>& digests) {
  ByteWriter out;
  for (const ContextDigest& one : digests) {
    put_text(out, one.context);
    out.u64be(one.digest);
  }
  return out.release();
}

Buffer compose(const std::vector<std::string>& contexts) {
  ByteWriter out;
  for (const std::string& context : contexts) put_text(out, context);
  return out.release();
}

Buffer compose(const std::vector<ContextParts>& parts) {
  ByteWriter out;
  for (const ContextParts& one : parts) {
    put_text(out, one.context);
    for (const std::uint64_t digest : one.parts) out.u64be(digest);
  }
  return out.release();
}

Buffer compose(const AskVersions& ask) {
  ByteWriter out;
  out.u64be(ask.ticket);
  put_text(out, ask.context);
  out.u64be(ask.parts);
  return out.release();
}

Buffer compose(const Versions& versions) {
  ByteWriter out;
  out.u64be(versions.ticket);
  out.u8(
      static_cast<std::uint8_t>((versions.is_last ? kLast : 0) | (versions.is_anew ? kAnew : 0)));
  for (const KnownSession& known : versions.sessions) {
    put_text(out, known.id);
    out.u64be(static_cast<std::uint64_t>(known.version.time_ms));
    out.u64be(known.version.digest);
  }
  return out.release();
}

Buffer compose(const AskRecords& ask) {
  ByteWriter out;
  put_text(out, ask.context);
  for (const std::string& id : ask.ids) put_text(out, id);
  return out.release();
}

std::optional<std::vector<ContextDigest>> parse_digests(Bytes payload) {
  ByteReader in(payload);
  return take_all<ContextDigest>(in, [](ByteReader& one) {
    std::string context = take_text(one);
    return ContextDigest{std::move(context), one.u64be()};
  });
}

std::optional<std::vector<std::string>> parse_contexts(Bytes payload) {
  ByteReader in(payload);
  return take_all<std::string>(in, take_text);
}

std::optional<std::vector<ContextParts>> parse_parts(Bytes payload) {
  ByteReader in(payload);
  return take_all<ContextParts>(in, [](ByteReader& one) {
    ContextParts parts;
    parts.context = take_text(one);
    for (std::uint64_t& digest : parts.parts) digest = one.u64be();
    return parts;
  });
}

std::optional<AskVersions> parse_ask_versions(Bytes payload) {
  ByteReader in(payload);
  AskVersions ask;
  ask.ticket = in.u64be();
  ask.context = take_text(in);
  ask.parts = in.u64be();
  return in.ok() && in.left() == 0 ? std::optional(std::move(ask)) : std::nullopt;
}

std::optional<Versions> parse_versions(Bytes payload) {
  ByteReader in(payload);
  Versions versions;
  versions.ticket = in.u64be();
  const std::uint8_t flags = in.u8();
  versions.is_last = (flags & kLast) != 0;
  versions.is_anew = (flags & kAnew) != 0;
  auto sessions = take_all<KnownSession>(in, take_known);
  if (!sessions) return std::nullopt;
  versions.sessions = std::move(*sessions);
  return versions;
}

std::optional<AskRecords> parse_ask_records(Bytes payload) {
  ByteReader in(payload);
  AskRecords ask;
  ask.context = take_text(in);
  auto ids = take_all<std::string>(in, take_text);
  if (!ids) return std::nullopt;
  ask.ids = std::move(*ids);
  return ask;
}

}  // namespace tribecast::keeper
