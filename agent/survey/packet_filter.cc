// Runs nft, and iptables-legacy-save where such rules are in use, as this user: only root may.
#include "doctor/packet_filter.h"

#include "survey/program.h"
#include "survey/survey.h"

namespace tribecast::survey {
namespace {

// The kernel names the tables of iptables-legacy that are in use. False: they could not be read.
bool look_at_legacy(doctor::Facts& facts) {
  const auto tables = read_file("/proc/net/ip_tables_names");
  if (!tables || tables->empty()) return true;
  const auto save = find_program("iptables-legacy-save");
  if (!save) {
    facts.packet_filter_error =
        "rules of iptables-legacy are in use, and iptables-legacy-save (package iptables) is not "
        "installed";
    return false;
  }
  auto rules = run_program({*save}, doctor::kMaxPacketFilterBytes);
  if (!rules) {
    facts.packet_filter_error = rules.error();
    return false;
  }
  facts.legacy_packet_filter = std::move(*rules);
  return true;
}

}  // namespace

void look_at_packet_filter(doctor::Facts& facts) {
  if (!facts.root) {
    facts.packet_filter_error = "only root may list its rules";
    return;
  }
  if (!look_at_legacy(facts)) return;
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
