// Of the agent: roll calls, `tribecast doctor --all`.
#include "base/check.h"
#include "daemon/agent.h"
#include "daemon/translate.h"
#include "io/clock.h"
#include "relay/views.h"

namespace tribecast::daemon {
namespace {

// Questions are asked again every 250 ms: with half of all lost one of twelve gets an answer.
constexpr Duration kRollCallTime = seconds(3);

std::vector<Endpoint> remote_members(const control::Status& status) {
  std::vector<Endpoint> members;
  for (const control::Member& member : status.members) {
    const bool there =
        member.state == control::MemberState::alive || member.state == control::MemberState::late;
    const auto address = Address::parse(member.host);
    const bool wanted = member.origin == control::Origin::remote && there && member.port != 0;
    if (wanted && address) members.push_back({*address, member.port});
  }
  return members;
}

std::vector<control::ViewGroup> view_groups(const config::Config& config) {
  std::vector<control::ViewGroup> groups;
  for (const config::Group& group : config.groups) {
    const auto drop_time = duration_cast<milliseconds>(group.drop_time).count();
    groups.push_back({group.name,
                      {group.address, group.port},
                      group.format == config::Format::tribes,
                      static_cast<std::uint32_t>(drop_time)});
  }
  return groups;
}

}  // namespace

void Agent::make_view() {
  if (view_maker_.is_busy()) return;
  view_maker_.begin(remote_members(status()), [this](std::vector<control::PortTry> ports) {
    on_view_made(std::move(ports));
  });
}

void Agent::on_view_made(std::vector<control::PortTry> ports) {
  const Instant now = io::now();
  const control::View view = to_view(status(), view_groups(config_), std::move(ports));
  view_maker_.keep(now, control::encode(view, relay::kMaxViewBytes));
  core_.set_view(now, view_maker_.view());
  finish_roll_call();
}

void Agent::start_roll_call(io::ControlServer::Reply reply) {
  roll_callers_.push_back(std::move(reply));
  if (roll_callers_.size() > 1) return;  // who comes meanwhile gets the same
  const Instant now = io::now();
  if (!view_maker_.is_fresh(now)) make_view();
  core_.call_roll(now, kRollCallTime, actions_);
  act(now);
}

// When the peers have answered, and our own view is there.
void Agent::finish_roll_call() {
  const Instant now = io::now();
  if (!roll_call_ || view_maker_.is_busy()) return;
  control::RollCall agents;
  agents.push_back(
      {"", control::CallAnswer::whole, view_maker_.view(), to_seconds(view_maker_.age(now))});
  for (relay::PeerView& view : *roll_call_) agents.push_back(to_called_agent(std::move(view)));
  roll_call_.reset();
  const std::string answer = control::roll_call_reply(agents);
  for (const auto& reply : std::exchange(roll_callers_, {})) reply(answer);
}

}  // namespace tribecast::daemon
