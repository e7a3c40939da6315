#include "daemon/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "config/values.h"
#include "control/request.h"
#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/name_table.h"

namespace tribecast::daemon {
namespace {

// A reload asks anew, but not many reloads a second.
constexpr Duration kAskAgain = seconds(1);
constexpr std::size_t kMostNamed = 5;
// What has left is kept for as long as a reload can be on trial.
constexpr Duration kLeftTime = control::kMostTrial;
constexpr std::size_t kMostLeft = 64;

std::string some_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kMostNamed ? out + ", ..." : out;
}

PeerSource::Families families_of(const std::vector<Endpoint>& listen) {
  const auto is_v4 = [](const Endpoint& endpoint) { return endpoint.address.is_v4(); };
  return {std::ranges::any_of(listen, is_v4), !std::ranges::all_of(listen, is_v4)};
}

bool same_source(const config::Discovery& a, const config::Discovery& b) {
  return a.name == b.name && a.kind == b.kind && a.source == b.source;
}

bool is_of(const config::FoundRecord& record, const config::Discovery& discovery) {
  return record.name == discovery.name && record.kind == discovery.kind &&
         record.source == discovery.source;
}

config::FoundRecord record_of(const config::Discovery& discovery,
                              const config::Believed& believed) {
  return {discovery.name, discovery.kind, discovery.source, believed.peers()};
}

std::string believed_when(const config::Discovery& discovery) {
  return fmt::format("until {} answers in a row, over at least {}, say so",
                     config::Believed::kShrinkAnswers,
                     config::to_text(discovery.every * config::Believed::kShrinkRounds));
}

}  // namespace

struct Discovery::Section {
  Section(Discovery& owner, config::Discovery discovery)
      : settings(std::move(discovery)), next(owner.loop_, [this, &owner] { owner.ask(*this); }) {}

  config::Discovery settings;
  config::Believed believed;
  std::string error;                   // of the last answer; empty = good
  unsigned failures = 0;               // in a row
  std::optional<Instant> answered_at;  // the last good one
  Instant asked_at = Instant::min();
  bool asking = false;
  bool news = false;  // while it was asked
  io::DeadlineTimer next;
  std::unique_ptr<PeerSource> source;
};

Discovery::Discovery(io::Loop& loop, Log& log, RandomSource random, Handlers handlers,
                     const std::string& path)
    : loop_(loop), random_(std::move(random)), handlers_(std::move(handlers)), store_(log, path) {}

Discovery::~Discovery() = default;

void Discovery::configure(const config::Config& config) {
  if (!std::exchange(recalled_, true)) remembered_ = store_.recall();
  const auto families = families_of(config.relay.listen);
  const bool as_before = families == std::exchange(families_, families);
  auto before = std::exchange(sections_, {});
  const std::size_t count_before = before.size();
  const Instant now = io::now();
  bool is_other = false;
  for (const config::Discovery& discovery : config.discoveries) {
    const auto found = std::ranges::find_if(
        before, [&](const auto& s) { return s && same_source(s->settings, discovery); });
    std::unique_ptr<Section> old = found == before.end() ? nullptr : std::move(*found);
    if (!old || !as_before || old->settings != discovery) {
      is_other = true;
      add(discovery, std::move(old));
    } else {
      if (!old->asking && now - old->asked_at >= kAskAgain) old->next.arm(now);
      sections_.push_back(std::move(old));
    }
  }
  remembered_.clear();
  for (const auto& section : before) {
    if (section) put_aside(*section);
  }
  if (is_other || sections_.size() != count_before) keep();
}

void Discovery::add(const config::Discovery& discovery, std::unique_ptr<Section> before) {
  auto section = std::make_unique<Section>(*this, discovery);
  Section& it = *section;
  if (before) {
    it.believed = std::move(before->believed);
    it.answered_at = before->answered_at;
    it.error = before->error;
  } else if (auto peers = had(discovery)) {
    it.believed = config::Believed(std::move(*peers));
  }
  it.source =
      PeerSource::open(loop_, discovery, families_,
                       {[this, &it](const PeerSource::Answer& answer) { on_answer(it, answer); },
                        [this, &it] { ask(it); }});
  it.next.arm(io::now());
  sections_.push_back(std::move(section));
}

void Discovery::put_aside(const Section& section) {
  if (section.believed.peers().empty()) return;
  if (left_.size() >= kMostLeft) left_.erase(left_.begin());
  left_.push_back({record_of(section.settings, section.believed), io::now()});
}

// What a source had when it left, or in the last process.
std::optional<config::FoundPeers> Discovery::had(const config::Discovery& discovery) {
  std::erase_if(left_, [now = io::now()](const Left& left) { return now - left.at > kLeftTime; });
  const auto left = std::find_if(left_.rbegin(), left_.rend(),
                                 [&](const Left& one) { return is_of(one.record, discovery); });
  if (left != left_.rend()) return left->record.peers;
  const auto kept = std::ranges::find_if(
      remembered_, [&](const config::FoundRecord& record) { return is_of(record, discovery); });
  return kept == remembered_.end() ? std::nullopt : std::optional(kept->peers);
}

void Discovery::ask(Section& section) {
  if (section.asking) {
    section.news = true;
    return;
  }
  section.asking = true;
  section.asked_at = io::now();
  section.next.arm(kNever);
  section.source->ask(section.believed.peers());
}

void Discovery::on_answer(Section& section, const PeerSource::Answer& answer) {
  section.asking = false;
  if (answer.peers) {
    take(section, *answer.peers);
  } else {
    on_failure(section, answer.peers.error());
  }
  arm(section, answer.good_for);
}

void Discovery::take(Section& section, config::FoundPeers peers) {
  const Instant now = io::now();
  const std::string& name = section.settings.name;
  section.answered_at = now;
  section.failures = 0;
  if (!std::exchange(section.error, {}).empty()) {
    handlers_.on_event(Severity::notice, "discovery_recovered", name, "answers again");
  }
  const std::size_t before = section.believed.peers().size();
  const auto change = section.believed.offer(now, std::move(peers), section.settings);
  if (const auto& doubt = section.believed.doubt(); doubt && change.doubt_is_new) {
    handlers_.on_event(
        Severity::warning, "discovery_shrunk", name,
        fmt::format("lacks {} of {} peers ({}), more than shrink-limit = {}%; they stay {}",
                    doubt->missing.size(), before, some_of(doubt->missing),
                    section.settings.shrink_limit_percent, believed_when(section.settings)));
  }
  if (!change.any()) return;
  handlers_.on_event(
      Severity::notice, "discovery_changed", name,
      fmt::format("has {} peers: {} added, {} removed, {} changed", section.believed.peers().size(),
                  change.added, change.removed, change.changed));
  keep();
  handlers_.on_change();
}

void Discovery::on_failure(Section& section, const std::string& why) {
  ++section.failures;
  if (std::exchange(section.error, why) == why) return;
  handlers_.on_event(
      Severity::warning, "discovery_failed", section.settings.name,
      fmt::format("{}; its {} peers are kept", why, section.believed.peers().size()));
}

// A file is asked again only when it says so, or while a smaller answer waits to be believed.
void Discovery::arm(Section& section, Duration good_for) {
  const Instant now = io::now();
  const Duration every = section.settings.every;
  if (std::exchange(section.news, false)) return section.next.arm(now);
  const bool failed = !section.error.empty();
  if (section.source->tells_news()) {
    return section.next.arm(section.believed.doubt() && !failed ? now + every : kNever);
  }
  const Duration retry = io::retry_delay(section.failures, random_u32(random_));
  section.next.arm(now + std::min(every, failed ? retry : good_for));
}

void Discovery::keep() {
  std::vector<config::FoundRecord> records;
  for (const auto& section : sections_) {
    records.push_back(record_of(section->settings, section->believed));
  }
  store_.keep(std::move(records));
}

std::vector<config::FoundSet> Discovery::found() const {
  std::vector<config::FoundSet> sets;
  for (const auto& section : sections_) {
    sets.push_back({section->settings.name, section->believed.peers()});
  }
  return sets;
}

std::vector<control::Warning> Discovery::warnings(Instant now) const {
  std::vector<control::Warning> all;
  for (const auto& section : sections_) {
    const std::string& name = section->settings.name;
    const std::size_t count = section->believed.peers().size();
    if (!section->error.empty()) {
      const std::string since = section->answered_at
                                    ? fmt::format("the last good answer came {:.0f} s ago",
                                                  to_seconds(now - *section->answered_at))
                                    : std::string("there was no good answer since the start");
      all.push_back({"discovery_failed", fmt::format("discovery {}: {}; its {} peers are kept; {}",
                                                     name, section->error, count, since)});
    }
    if (const auto& doubt = section->believed.doubt()) {
      all.push_back(
          {"discovery_shrunk",
           fmt::format("discovery {}: {} of {} peers are no longer found ({}); they stay {}", name,
                       doubt->missing.size(), count, some_of(doubt->missing),
                       believed_when(section->settings))});
    }
  }
  return all;
}

std::vector<control::Discovery> Discovery::report(Instant now) const {
  std::vector<control::Discovery> all;
  for (const auto& section : sections_) {
    control::Discovery& d = all.emplace_back();
    d.name = section->settings.name;
    d.kind = name_of(section->settings.kind);
    d.source = section->settings.source;
    d.peers = section->believed.peers().size();
    if (const auto& doubt = section->believed.doubt()) d.missing = doubt->missing.size();
    if (section->answered_at) d.last_answer_seconds = to_seconds(now - *section->answered_at);
    if (!section->error.empty()) d.error = section->error;
  }
  return all;
}

}  // namespace tribecast::daemon
