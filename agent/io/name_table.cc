#include "io/name_table.h"

#include <algorithm>
#include <utility>

#include "io/clock.h"

namespace tribecast::io {

Duration refresh_delay(Duration ttl) {
  return std::clamp<Duration>(ttl, seconds(1), std::chrono::minutes(5));
}

Duration retry_delay(unsigned failures, std::uint32_t jitter) {
  constexpr unsigned kDoublings = 4;
  const unsigned doublings = std::min(std::max(failures, 1U) - 1, kDoublings);
  const Duration delay = std::min<Duration>(seconds(5) * (1U << doublings), seconds(60));
  return delay - delay / 4 * (jitter % 1024) / 1024;
}

NameTable::NameTable(Loop& loop, RandomSource random, Changed changed)
    : random_(std::move(random)),
      changed_(std::move(changed)),
      timer_(loop, [this] { on_deadline(); }),
      resolver_(loop) {}

NameTable::~NameTable() = default;

void NameTable::add(const std::string& name) {
  Entry& entry = entries_[name];
  if (++entry.users > 1) return;
  enqueue(name, entry);
  ask_queued();
}

void NameTable::remove(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || --found->second.users > 0) return;
  entries_.erase(found);
  arm();
}

void NameTable::refresh() {
  for (auto& [name, entry] : entries_) enqueue(name, entry);
  ask_queued();
}

const NameState* NameTable::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second.state;
}

void NameTable::enqueue(const std::string& name, Entry& entry) {
  if (entry.queued || entry.question != 0) return;
  entry.queued = true;
  entry.state.refresh_at = kNever;
  queue_.push_back(name);
}

void NameTable::ask_queued() {
  while (outstanding_ < kMaxOutstanding && !queue_.empty()) {
    const std::string name = std::move(queue_.front());
    queue_.pop_front();
    const auto found = entries_.find(name);
    // Removed meanwhile, or removed and added again, which put it in line a second time.
    if (found == entries_.end() || !found->second.queued) continue;
    found->second.queued = false;
    const std::uint64_t question = found->second.question = ++last_question_;
    ++outstanding_;
    resolver_.resolve(name, [this, name, question](const Result<Resolution, std::string>& answer) {
      --outstanding_;
      answered(name, question, answer);
      ask_queued();
    });
  }
  arm();
}

void NameTable::answered(const std::string& name, std::uint64_t question,
                         const Result<Resolution, std::string>& answer) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.question != question) return;
  Entry& entry = found->second;
  NameState& state = entry.state;
  entry.question = 0;
  const Instant now = io::now();
  if (!answer) {
    state.error = answer.error();
    ++state.failures;
    state.refresh_at = now + retry_delay(state.failures, random_u32(random_));
    return;
  }
  state.error.clear();
  state.failures = 0;
  state.resolved_at = now;
  state.refresh_at = now + refresh_delay(answer->ttl);
  if (state.addresses == answer->addresses) return;
  state.addresses = answer->addresses;
  // Copies, because the callback may remove the name.
  changed_(std::string(name), std::vector<Address>(answer->addresses));
}

void NameTable::on_deadline() {
  const Instant now = io::now();
  for (auto& [name, entry] : entries_) {
    if (entry.state.refresh_at <= now) enqueue(name, entry);
  }
  ask_queued();
}

void NameTable::arm() {
  Instant next = kNever;
  for (const auto& [name, entry] : entries_) next = std::min(next, entry.state.refresh_at);
  timer_.arm(next);
}

}  // namespace tribecast::io
