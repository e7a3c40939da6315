#include "base/hex.h"
#include "control/json_value.h"
#include "control/view.h"

namespace tribecast::control {

using namespace json_value;

std::string roll_call_reply(const RollCall& agents) {
  Json list = Json::array();
  for (const CalledAgent& agent : agents) {
    list.push_back({{"peer", agent.peer},
                    {"answer", name_of(agent.answer)},
                    {"age_seconds", agent.age_seconds},
                    {"view", to_hex(agent.view)}});
  }
  return line({{"ok", true}, {"agents", std::move(list)}});
}

Result<RollCall, Failure> read_roll_call_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  RollCall agents;
  for (const Json& item : child(*json, "agents")) {
    CalledAgent agent;
    std::string word;
    std::string view;
    get(item, "peer", agent.peer);
    get(item, "answer", word);
    get(item, "age_seconds", agent.age_seconds);
    get(item, "view", view);
    const auto* const answer = std::ranges::find(kCallAnswers, word);
    if (answer != kCallAnswers.end()) {
      agent.answer = static_cast<CallAnswer>(answer - kCallAnswers.begin());
    }
    agent.view = from_hex(view).value_or(Buffer{});
    agents.push_back(std::move(agent));
  }
  return agents;
}

}  // namespace tribecast::control
