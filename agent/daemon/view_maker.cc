#include "daemon/view_maker.h"

#include <algorithm>
#include <utility>

#include "relay/views.h"

namespace tribecast::daemon {
namespace {

control::PortOutcome to_outcome(io::ProbeOutcome outcome) {
  switch (outcome) {
    case io::ProbeOutcome::accepted:
      return control::PortOutcome::accepted;
    case io::ProbeOutcome::refused:
      return control::PortOutcome::refused;
    case io::ProbeOutcome::no_answer:
      return control::PortOutcome::no_answer;
    case io::ProbeOutcome::not_tried:
      break;
  }
  return control::PortOutcome::not_tried;
}

}  // namespace

void ViewMaker::begin(const std::vector<Endpoint>& members, std::function<void(Ports)> done) {
  if (is_busy()) return;
  const std::size_t count = std::min(members.size(), kMaxPorts);
  if (count == 0) return done({});
  done_ = std::move(done);
  tried_.clear();
  waiting_ = count;
  const std::size_t first = turn_;
  turn_ = (first + count) % members.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Endpoint member = members[(first + i) % members.size()];
    ports_.probe(member, kPortTime,
                 [this, member](io::ProbeOutcome outcome) { on_outcome(member, outcome); });
  }
}

void ViewMaker::on_outcome(const Endpoint& member, io::ProbeOutcome outcome) {
  tried_.push_back({member, to_outcome(outcome)});
  if (--waiting_ > 0) return;
  const auto done = std::exchange(done_, nullptr);
  done(std::move(tried_));
}

void ViewMaker::keep(Instant now, Buffer view) {
  view_ = std::move(view);
  made_ = now;
}

bool ViewMaker::is_fresh(Instant now) const {
  return !view_.empty() && age(now) < relay::kViewFresh;
}

control::View to_view(control::Status status, const std::vector<control::ViewGroup>& groups,
                      ViewMaker::Ports ports) {
  control::View view;
  for (const ReasonEntry& entry : kReasons) view.drops += status.drops[entry.reason];
  view.status = std::move(status);
  view.groups = groups;
  view.ports = std::move(ports);
  return view;
}

}  // namespace tribecast::daemon
