// What is sent more than once: copies of all data to peers that want them, against loss, and a
// member's goodbye until it is acknowledged. Always the same sealed bytes, so that the receiver's
// replay window lets one of them through.
#include <algorithm>

#include "relay/links.h"

namespace tribecast::relay {
namespace {

// Between copies: loss comes in bursts.
constexpr Duration kCopyInterval = milliseconds(25);
constexpr std::size_t kMaxCopies = 4096;
constexpr std::size_t kMaxNotices = 256;
// So many goodbyes of a peer are remembered, to acknowledge them again when they are repeated.
constexpr std::size_t kMaxAcknowledged = 64;

}  // namespace

// --- copies --------------------------------------------------------------------------------------

void Links::schedule_copies(Instant now, const Sealed& sealed) {
  for (unsigned copy = 2; copy <= kMaxDataCopies; ++copy) {
    std::vector<Path> paths;
    for (Link* link : sealed.to) {
      if (link->settings.copies < copy) continue;
      paths.push_back(link->current->path);
      link->sent += sealed.datagrams.size();
    }
    if (paths.empty()) return;
    for (const Buffer& datagram : sealed.datagrams) {
      if (copies_.size() >= kMaxCopies) return strangers_.add(Reason::table_full);
      const Copy next{now + (copy - 1) * kCopyInterval, datagram, paths};
      const auto later = std::ranges::upper_bound(copies_, next.at, {}, &Copy::at);
      copies_.insert(later, next);
    }
  }
}

void Links::repeat(Instant now, Actions& out) {
  while (!copies_.empty() && copies_.front().at <= now) {
    out.sends.push_back({std::move(copies_.front().datagram), std::move(copies_.front().to)});
    copies_.pop_front();
  }
  if (now >= next_notice_) repeat_notices(now, out);
}

// --- goodbyes, the sender's side -----------------------------------------------------------------

std::size_t Links::send_notice(Instant now, const std::string& subject, const std::string& group,
                               const Outgoing& outgoing, Duration still_new, Actions& out) {
  withdraw_notice(subject);
  if (notices_.size() >= kMaxNotices) {
    notices_.pop_front();
    strangers_.add(Reason::table_full);
  }
  notices_.push_back({subject,
                      group,
                      outgoing.captured,
                      outgoing.group,
                      outgoing.source,
                      copy_of(outgoing.payload),
                      now + still_new,
                      {},
                      {}});
  next_notice_ = std::min(next_notice_, now + kNoticeInterval);
  return send_plain(group, outgoing, out) + tell(now, notices_.back(), out);
}

void Links::withdraw_notice(const std::string& subject) {
  std::erase_if(notices_, [&](const Notice& notice) { return notice.subject == subject; });
}

// Sends it to the live peers that were not told yet.
std::size_t Links::tell(Instant now, Notice& notice, Actions& out) {
  std::vector<Link*> waiting;
  for (const auto& link : links_) {
    const bool told = std::ranges::find(notice.told, link.get()) != notice.told.end();
    if (told || !is_live(now, *link) || !link->in_group(notice.group)) continue;
    waiting.push_back(link.get());
  }
  if (waiting.empty()) return 0;
  const std::uint64_t first = counter_;
  const Outgoing outgoing{notice.captured, notice.destination, notice.source, notice.payload};
  for (Sealed& sealed : seal_for(waiting, outgoing)) {
    const std::vector<Path> paths = paths_of(sealed.to);
    for (const Buffer& datagram : sealed.datagrams) out.sends.push_back({datagram, paths});
    for (Link* link : sealed.to) {
      notice.told.push_back(link);
      link->sent += sealed.datagrams.size();
    }
    notice.batches.push_back(
        {first, std::move(sealed.datagrams), std::move(sealed.to), now + kNoticeTime});
  }
  return waiting.size();
}

void Links::repeat_notices(Instant now, Actions& out) {
  for (Notice& notice : notices_) {
    std::erase_if(notice.batches, [&](const NoticeBatch& batch) {
      return batch.waiting.empty() || now >= batch.ends;
    });
    for (const NoticeBatch& batch : notice.batches) {
      std::vector<Path> paths;
      for (Link* link : batch.waiting) {
        if (!link->current) continue;
        paths.push_back(link->current->path);
        link->sent += batch.datagrams.size();
      }
      if (paths.empty()) continue;
      for (const Buffer& datagram : batch.datagrams) out.sends.push_back({datagram, paths});
    }
    if (now < notice.still_new_until) tell(now, notice, out);
  }
  std::erase_if(notices_, [&](const Notice& notice) {
    return notice.batches.empty() && now >= notice.still_new_until;
  });
  next_notice_ = kNever;
  for (const Notice& notice : notices_) {
    const Duration pause = notice.batches.empty() ? kProbeInterval : kNoticeInterval;
    next_notice_ = std::min(next_notice_, now + pause);
  }
}

void Links::on_ack(Link& link, std::uint64_t counter) {
  for (Notice& notice : notices_) {
    for (NoticeBatch& batch : notice.batches) {
      const bool is_it =
          counter >= batch.first_counter && counter < batch.first_counter + batch.datagrams.size();
      if (is_it) std::erase(batch.waiting, &link);
    }
  }
}

void Links::forget_repeats(const Link& link) {
  for (Notice& notice : notices_) {
    std::erase(notice.told, &link);
    for (NoticeBatch& batch : notice.batches) std::erase(batch.waiting, &link);
  }
}

// --- goodbyes, the receiver's side ---------------------------------------------------------------

void Links::acknowledge(Link& link, std::uint64_t counter, Actions& out) {
  if (link.acknowledged.size() >= kMaxAcknowledged) link.acknowledged.pop_front();
  link.acknowledged.push_back(counter);
  send_ack(link, counter, out);
}

void Links::send_ack(Link& link, std::uint64_t counter, Actions& out) {
  if (!link.current) return;
  Frames frames;
  frames.acks = {counter};
  send_frames(link, *link.current, frames, out);
}

}  // namespace tribecast::relay
