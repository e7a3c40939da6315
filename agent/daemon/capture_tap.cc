#include "daemon/capture_tap.h"

#include <algorithm>
#include <utility>

namespace tribecast::daemon {

void CaptureTap::ask(Instant now, std::optional<std::uint64_t> after, Reply reply) {
  off_at_ = now + kInterest;
  if (!after) return reply(control::capture_reply({last_, {}}));
  if (*after != last_) return reply(list_after(*after > last_ ? 0 : *after));
  if (waiting_.size() == kMaxWaiting) waiting_.pop_front();
  waiting_.push_back({*after, now + kPatience, std::move(reply)});
}

void CaptureTap::add(Instant now, control::Seen seen) {
  if (!on()) return;
  seen.sequence = ++last_;
  bytes_ += seen.payload.size();
  seen_.push_back(std::move(seen));
  while (seen_.size() > kKept || bytes_ > kKeptBytes) {
    bytes_ -= seen_.front().payload.size();
    seen_.pop_front();
  }
  if (!waiting_.empty() && answer_at_ == kNever) answer_at_ = now + kBatch;
}

void CaptureTap::on_timer(Instant now) {
  const bool news = now >= answer_at_;
  if (news) answer_at_ = kNever;
  std::deque<Waiting> still;
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if ((news && waiting.after != last_) || now >= waiting.until) {
      waiting.reply(list_after(waiting.after));
    } else {
      still.push_back(std::move(waiting));
    }
  }
  waiting_ = std::move(still);
  if (now < off_at_) return;
  off_at_ = kNever;
  answer_at_ = kNever;
  waiting_.clear();
  bytes_ = 0;
  std::deque<control::Seen>().swap(seen_);
}

Instant CaptureTap::deadline() const {
  Instant out = std::min(answer_at_, off_at_);
  for (const Waiting& waiting : waiting_) out = std::min(out, waiting.until);
  return out;
}

std::string CaptureTap::list_after(std::uint64_t sequence) const {
  control::SeenList list{last_, {}};
  for (const control::Seen& one : seen_) {
    if (one.sequence <= sequence) continue;
    if (list.seen.size() == kMostInAnswer) break;
    list.seen.push_back(one);
  }
  return control::capture_reply(list);
}

}  // namespace tribecast::daemon
