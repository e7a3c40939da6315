// The doctor's checks: one table, in the order in which they are printed. Pure.
//
// A check looks at the facts and says what it sees: nothing where it does not apply, unknown where
// a fact is missing, else good, a warning or a failure. Ids are stable: scripts, documentation and
// people quote them; a number is never used again for something else.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/diagnosis.h"
#include "doctor/facts.h"

namespace tribecast::doctor {

using control::Health;

// What one check says; `fix` names the machine and the command.
struct Finding {
  Health health = Health::good;
  std::string subject;
  std::string text;
  std::string fix;
};
using Findings = std::vector<Finding>;

struct Check {
  std::string_view id;     // `TC010`
  std::string_view title;  // a noun, for lists
  std::string_view means;  // why it matters, when it is not good
  std::string_view mend;   // in general; the finding's own fix is the concrete one
  Findings (*judge)(const Facts&);
  bool by_agent = false;  // an agent alone knows what it looks at: judged for other hosts, too
};

std::span<const Check> checks();
// By its id, in either case; nullptr for none.
const Check* find_check(std::string_view id);

control::Diagnosis diagnose(const Facts& facts);
// The checks that look at nothing but what an agent knows.
control::Diagnosis diagnose_agent(const Facts& facts);

// `--explain`, and docs/troubleshooting.md.
std::string explain_text(const Check& check);
std::string troubleshooting_markdown();

}  // namespace tribecast::doctor
