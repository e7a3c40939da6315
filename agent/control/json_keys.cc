#include "control/json.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

Json json_of(const KeyUse& use) {
  return {{"name", use.peer}, {"sent", use.sent}, {"heard", use.heard}, {"primary", use.primary}};
}

Json json_of(const KeyRow& row) {
  Json peers = Json::array();
  for (const KeyUse& use : row.uses) peers.push_back(json_of(use));
  return {{"id", row.id},
          {"fingerprint", row.fingerprint},
          {"primary", row.primary},
          {"peers", std::move(peers)},
          {"missing_at", row.missing},
          {"differs_at", row.different}};
}

}  // namespace

std::string key_pair_json(std::string_view private_key, std::string_view public_key,
                          std::string_view generated_at) {
  Json json = document("keygen", generated_at);
  if (!private_key.empty()) json["private_key"] = private_key;
  json["public_key"] = public_key;
  return page(json);
}

std::string key_list_json(const KeyList& list, std::string_view generated_at) {
  Json json = document("key-list", generated_at);
  json["keyring"] = list.file;
  json["keys"] = Json::array();
  for (const KeyRow& row : list.keys) json["keys"].push_back(json_of(row));
  json["unknown_peers"] = list.unknown ? Json(*list.unknown) : Json();
  return page(json);
}

}  // namespace tribecast::control
