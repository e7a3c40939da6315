// What a store tells of many sessions at once: digests of them, and the sessions one after another.
#include "engine/session/digest.h"

#include "engine/session/store.h"

namespace tribecast::session {

std::size_t Store::digest_part(std::string_view id) { return digest_of(id) % kDigestParts; }

// What this session adds to the sum of its part; nothing before its creation is known.
std::uint64_t Store::digest_in(std::uint64_t id_digest, const Session& session) {
  return session.complete() ? mixed(id_digest ^ session.version().digest) : 0;
}

PartDigests Store::digests(std::string_view context) const {
  const Context* found = find_context(context);
  return found == nullptr ? PartDigests{} : found->digests;
}

std::optional<Version> Store::version(std::string_view context, std::string_view id) const {
  const Context* found = find_context(context);
  if (found == nullptr) return std::nullopt;
  const auto at = found->sessions.find(id);
  if (at == found->sessions.end() || !at->second.complete()) return std::nullopt;
  return at->second.version();
}

bool Store::has_ended(std::string_view context, std::string_view id, std::int64_t time_ms) const {
  const Context* found = find_context(context);
  if (found == nullptr || found->sessions.contains(id)) return false;
  const auto tombstone = found->tombstones.find(id);
  if (tombstone == found->tombstones.end()) return found->renamed.contains(id);
  return time_ms <= tombstone->second + settings_.clock_skew.count();
}

Walked Store::visit(std::string_view context, Place& place, std::size_t most, Instant now,
                    const Visitor& visitor) const {
  const Context* found = find_context(context);
  if (found == nullptr) return Walked::over;
  const auto& sessions = found->sessions;
  const bool is_anew = place.buckets != 0 && place.buckets != sessions.bucket_count();
  if (is_anew) place = {};
  place.buckets = sessions.bucket_count();
  if (is_anew) return Walked::anew;
  for (std::size_t seen = 0; place.bucket < place.buckets && seen < most; ++place.bucket) {
    ++seen;  // empty ones cost, too
    for (auto at = sessions.begin(place.bucket); at != sessions.end(place.bucket); ++at, ++seen) {
      const bool is_there = at->second.complete() && at->second.expires_at() > now;
      if (is_there) visitor(at->first.str(), at->second);
    }
  }
  return place.bucket < place.buckets ? Walked::more : Walked::over;
}

}  // namespace tribecast::session
