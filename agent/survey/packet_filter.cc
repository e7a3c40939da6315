// Runs nft, as this user: only root may ask it.
#include "doctor/packet_filter.h"

#include "survey/program.h"
#include "survey/survey.h"

namespace tribecast::survey {

void look_at_packet_filter(doctor::Facts& facts) {
  if (!facts.root) {
    facts.packet_filter_error = "only root may list its rules";
    return;
  }
  if (const auto legacy = read_file("/proc/net/ip_tables_names"); legacy && !legacy->empty()) {
    facts.packet_filter_error =
        "rules of iptables-legacy are in use: iptables-legacy -S lists them";
    return;
  }
  const auto nft = find_program("nft");
  if (!nft) {
    facts.packet_filter_error = "nft (package nftables) is not installed";
    return;
  }
  auto rules = run_program({*nft, "list", "ruleset"}, doctor::kMaxPacketFilterBytes);
  if (rules) {
    facts.packet_filter = std::move(*rules);
  } else {
    facts.packet_filter_error = rules.error();
  }
}

}  // namespace tribecast::survey
