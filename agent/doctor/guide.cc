// What people read about the checks: made from the table.
#include "doctor/checks.h"

namespace tribecast::doctor {
namespace {

constexpr const char* kIntroduction =
    R"(<!-- Generated from agent/doctor/checks.cc by the build target `docs`. -->
# Troubleshooting

    sudo tribecast doctor

looks at this host, its Tomcats, its agent and its peers, and says what is wrong, what that means and
how to mend it, with the machine and the command. It changes nothing. It takes about two seconds: so
long it listens to the groups itself. It works without the agent and without root too; what it could
not check then is marked `?`, with the right that is missing, and is not `ok`.

| exit code | meaning |
|---|---|
| 0 | nothing is wrong in what was checked |
| 1 | a warning |
| 2 | a failure |

`--peer NAME` leaves out the other peers, `--json` is for programs (`schema` = `tribecast.doctor/1`),
`--explain ID` prints a section of this page. A direction that is blocked is often only seen from one
side: `--all` asks the agents of all peers, too, and shows in one table what each finds, who hears whom and
which member is missing where. Where an agent does not answer, run the doctor on that host as well.

Findings quote an id that never changes its meaning:

| id | about |
|---|---|
)";

}  // namespace

std::string explain_text(const Check& check) {
  return std::string(check.id) + "  " + std::string(check.title) + "\n\n" +
         control::wrapped(check.means, 0) + "\n" + control::wrapped(check.mend, 0);
}

std::string troubleshooting_markdown() {
  std::string out = kIntroduction;
  for (const Check& check : checks()) {
    out += "| [" + std::string(check.id) + "](#" + std::string(check.id) + ") | " +
           std::string(check.title) + " |\n";
  }
  for (const Check& check : checks()) {
    out += "\n<a id=\"" + std::string(check.id) + "\"></a>\n## " + std::string(check.id) + ": " +
           std::string(check.title) + "\n\n" + std::string(check.means) + "\n\n**Mend it:** " +
           std::string(check.mend) + "\n";
  }
  return out;
}

}  // namespace tribecast::doctor
