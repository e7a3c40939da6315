#include "control/diagnosis.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

std::string_view level_word(const Diagnosis& diagnosis) {
  if (diagnosis.count(Health::failure) > 0) return name_of(Health::failure);
  return name_of(diagnosis.count(Health::warning) > 0 ? Health::warning : Health::good);
}

Json finding_json(const DoctorFinding& finding) {
  Json json;
  json["id"] = finding.id;
  json["title"] = finding.title;
  json["level"] = name_of(finding.health);
  json["subject"] = text_or_null(finding.subject);
  json["text"] = finding.text;
  json["means"] = text_or_null(finding.means);
  json["fix"] = text_or_null(finding.fix);
  return json;
}

}  // namespace

std::string diagnosis_json(const Diagnosis& diagnosis, std::string_view generated_at) {
  Json json = document("doctor", generated_at);
  json["host"] = diagnosis.host;
  json["verdict"] = {{"level", level_word(diagnosis)},
                     {"failures", diagnosis.count(Health::failure)},
                     {"warnings", diagnosis.count(Health::warning)},
                     {"ok", diagnosis.count(Health::good)},
                     {"unknown", diagnosis.count(Health::unknown)}};
  json["findings"] = Json::array();
  for (const DoctorFinding& finding : diagnosis.findings) {
    json["findings"].push_back(finding_json(finding));
  }
  return page(json);
}

}  // namespace tribecast::control
