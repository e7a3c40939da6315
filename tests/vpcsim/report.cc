#include "vpcsim/report.h"

#include <nlohmann/json.hpp>

namespace tribecast::vpcsim {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const DropCounters& dropped, std::size_t first, std::size_t end) {
  Json json = Json::object();
  for (std::size_t i = first; i < end; ++i) {
    json[std::string(kDropNames[i])] = dropped[static_cast<Drop>(i)];
  }
  return json;
}

constexpr std::size_t kFirstOfPairs = static_cast<std::size_t>(Drop::partition);

Json json_of(const PairCounters& pair) {
  return {{"received", pair.received},
          {"delivered", pair.delivered},
          {"duplicated", pair.duplicated},
          {"reordered", pair.reordered},
          {"corrupted", pair.corrupted},
          {"tampered", pair.tampered},
          {"dropped", json_of(pair.dropped, kFirstOfPairs, kDropNames.size())}};
}

}  // namespace

std::string counters_json(const Model& model, std::size_t delayed) {
  Json hosts = Json::object();
  Json pairs = Json::object();
  for (HostId from = 0; from < model.hosts().size(); ++from) {
    const std::string& name = model.hosts()[from].name;
    hosts[name]["dropped"] = json_of(model.dropped(from), 0, kFirstOfPairs);
    for (HostId to = 0; to < model.hosts().size(); ++to) {
      if (from == to) continue;
      pairs[name + "->" + model.hosts()[to].name] = json_of(model.counters(from, to));
    }
  }
  const Json json = {
      {"seed", model.seed()}, {"delayed", delayed}, {"hosts", hosts}, {"pairs", pairs}};
  return json.dump();
}

}  // namespace tribecast::vpcsim
