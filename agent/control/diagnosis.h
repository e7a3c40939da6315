// What `tribecast doctor` found, as text for people and as JSON. The checks are in doctor/.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/exit_code.h"
#include "control/human.h"

namespace tribecast::control {

enum class Health : std::uint8_t {
  good,
  warning,
  failure,
  unknown,  // not checked: a right, a program or the agent is missing
};
inline constexpr std::array<std::string_view, 4> kHealths = {"ok", "warning", "failure", "unknown"};
constexpr std::string_view name_of(Health h) { return kHealths[static_cast<std::size_t>(h)]; }

// A fact, and what to do about it.
struct DoctorFinding {
  std::string id;     // of the check: `TC041`
  std::string title;  // of the check
  Health health = Health::good;
  std::string subject;  // the peer, member, group or file that it is about; empty = this host
  std::string text;
  std::string means;  // empty when good
  std::string fix;    // empty when good; unknown: what would make the check possible
};

struct Cluster;  // control/cluster.h

struct Diagnosis {
  std::string host;
  std::vector<DoctorFinding> findings;

  [[nodiscard]] std::size_t count(Health health) const;
};

// The worst of the findings; unknown ones do not count.
Exit exit_code(const Diagnosis& diagnosis);

// At most kColumns wide; longer texts are continued below their beginning. Of several good findings
// of one check the first is shown, and how many there are.
std::string diagnosis_text(const Diagnosis& diagnosis, const Style& style);
std::string diagnosis_json(const Diagnosis& diagnosis, std::string_view generated_at);
// The same with `cluster` beside it.
std::string diagnosis_json(const Diagnosis& diagnosis, const Cluster& cluster,
                           std::string_view generated_at);

}  // namespace tribecast::control
