// Each fault among otherwise healthy facts is found by its check, and by no other.
#define BOOST_TEST_MODULE doctor_checks
#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>

#include "doctor/checks.h"

using namespace tribecast;
using namespace tribecast::doctor;

namespace {

Address address(const char* text) { return *Address::parse(text); }
Endpoint endpoint(const char* text) { return *Endpoint::parse(text); }

control::Status healthy_status() {
  control::Status status;
  status.node = {"web-1", "", "0011", "1.0", 100, "sock_diag"};
  control::Peer peer;
  peer.name = "web-2";
  peer.version = "1.0";
  peer.state = control::PeerState::up;
  peer.endpoint = "10.0.1.2:45565";
  peer.rtt_seconds = 0.001;
  peer.loss_ratio = peer.loss_in_ratio = peer.loss_out_ratio = 0;
  peer.clock_offset_seconds = 0.01;
  peer.mtu_bytes = 1500;
  peer.last_heard_seconds = 0.1;
  peer.key_id = 1;
  status.peers.push_back(peer);
  control::Group group;
  group.name = "tomcat";
  group.address = "228.0.0.4:45564";
  group.interfaces = {"eth0"};
  status.groups.push_back(group);
  control::Member member;
  member.group = "tomcat";
  member.host = "10.0.0.1";
  member.port = 4000;
  member.unique_id = "aa";
  member.via = "eth0";
  member.interval_seconds = 0.5;
  status.members.push_back(member);
  member.host = "10.0.1.2";
  member.unique_id = "bb";
  member.via = "web-2";
  member.origin = control::Origin::remote;
  status.members.push_back(member);
  return status;
}

config::Config healthy_config() {
  return *config::parse({{"t.conf",
                          "[node]\nname = web-1\n[security]\nkeyring = /k\n[group "
                          "\"tomcat\"]\naddress = 228.0.0.4:45564\n"
                          "[peer \"web-2\"]\naddress = web-2.internal\n"}})
              .config;
}

Facts healthy() {
  Facts facts;
  facts.host = "web-1";
  facts.root = true;
  facts.agent.contact = Contact::answered;
  facts.agent.before = facts.agent.status = healthy_status();
  facts.config.file = "t.conf";
  facts.config.files = facts.config.running = healthy_config();
  facts.config.keys.push_back({"/k", false, {}});
  facts.interfaces = {{"lo", 1, true, true, false, {address("127.0.0.1")}, 0},
                      {"eth0", 2, true, false, true, {address("10.0.0.1")}, 1}};
  facts.groups = {{facts.config.files->groups[0], GroupRoute{"eth0"}, {"eth0"}}};
  facts.joined = {{"eth0", address("228.0.0.4"), 1}};
  facts.udp = {{endpoint("0.0.0.0:45564"), 0, Process{7, "java"}}};
  facts.listeners = {{endpoint("10.0.0.1:4000"), 0, Process{7, "java"}}};
  facts.tomcats = {
      {Process{7, "java"}, "/srv/tomcat", false, true, ServerXml{true, 6, "6", "", "auto"}}};
  facts.heard = {{"tomcat", endpoint("10.0.0.1:4000"), "aa", "", address("10.0.0.1"), false, 4,
                  milliseconds(500)},
                 {"tomcat", endpoint("10.0.1.2:4000"), "bb", "", address("10.0.1.2"), true, 4,
                  milliseconds(500)}};
  facts.listened = seconds(2);
  facts.ports = {{endpoint("10.0.1.2:4000"), Outcome::accepted}};
  facts.own_name = Resolved{"web-1", {address("10.0.0.1")}, ""};
  facts.peer_names = {{"web-2.internal", {address("10.0.1.2")}, ""}};
  facts.reverse_path_drops = 0;
  facts.receive_buffer_limit_bytes = 4194304;
  facts.packet_filter = "";
  return facts;
}

std::string found(const Facts& facts,
                  std::set<Health> healths = {Health::warning, Health::failure}) {
  std::set<std::string> ids;
  for (const auto& finding : diagnose(facts).findings) {
    if (healths.contains(finding.health)) ids.insert(finding.id);
  }
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : " ") + id;
  return out;
}

control::Peer& peer(Facts& facts) { return facts.agent.status->peers[0]; }
Heard& own_beat(Facts& facts) { return (*facts.heard)[0]; }

struct Fault {
  const char* what;
  std::function<void(Facts&)> bring_about;
  const char* ids;
};

Fault fault(const char* what, std::function<void(Facts&)> bring_about, const char* ids) {
  return {what, std::move(bring_about), ids};
}

// What the agents of web-1 and web-2 answer, both well.
void ask(Facts& f) {
  control::View own;
  own.status = *f.agent.status;
  own.groups = {{"tomcat", endpoint("228.0.0.4:45564"), true, 3000}};
  control::View other = own;
  other.status.node.name = "web-2";
  other.status.node.instance = "0022";
  other.status.peers[0].name = "web-1";
  other.status.peers[0].instance = "0011";
  own.status.peers[0].instance = "0022";
  for (control::Member& member : other.status.members) {
    const bool local = member.origin == control::Origin::local;
    member.origin = local ? control::Origin::remote : control::Origin::local;
    member.via = local ? "web-1" : "eth0";
  }
  f.asked = {{"", control::CallAnswer::whole, own, 0},
             {"web-2", control::CallAnswer::whole, other, 0.5}};
}

const Fault kFaults[] = {
    fault("two agents that are well", ask, ""),
    fault(
        "an agent that does not answer",
        [](Facts& f) {
          ask(f);
          f.asked[1] = {"web-2", control::CallAnswer::none, std::nullopt, 0};
        },
        "TC050"),
    fault(
        "a direction that is shut",
        [](Facts& f) {
          ask(f);
          f.asked[1].view->status.peers[0].state = control::PeerState::silent;
        },
        "TC051"),
    fault(
        "an agent that has no peer of ours",
        [](Facts& f) {
          ask(f);
          f.asked[1].view->status.peers.clear();
        },
        "TC051"),
    fault(
        "a member that is not seen there",
        [](Facts& f) {
          ask(f);
          f.asked[1].view->status.members.erase(f.asked[1].view->status.members.begin());
        },
        "TC052"),
    fault(
        "none", [](Facts&) {}, ""),
    fault(
        "a mistake in a file",
        [](Facts& f) {
          f.config.files.reset();
          f.config.findings.push_back(config::finding("t.conf", "wrong"));
        },
        "TC001"),
    fault(
        "no file and no agent",
        [](Facts& f) {
          f.config = {};
          f.config.missing = true;
          f.agent = {};
          f.heard->pop_back();
        },
        "TC001 TC003"),
    fault(
        "a bad keyring",
        [](Facts& f) { f.config.keys[0].findings.push_back(config::finding("/k", "wrong")); },
        "TC002"),
    fault(
        "files that do not run", [](Facts& f) { f.config.files->groups[0].max_age = seconds(2); },
        "TC004"),
    fault(
        "an undone reload",
        [](Facts& f) {
          f.agent.status->warnings.push_back({"config_undone", "undone"});
        },
        "TC004"),
    fault(
        "no capture",
        [](Facts& f) {
          f.agent.status->warnings.push_back({"capture_failed", "eth0: no"});
        },
        "TC005"),
    fault(
        "no route",
        [](Facts& f) {
          f.groups[0].route.reset();
          f.groups[0].interfaces.clear();
        },
        "TC010"),
    fault(
        "a route to lo",
        [](Facts& f) {
          f.groups[0].route = GroupRoute{"lo"};
          f.groups[0].interfaces = {"lo"};
        },
        "TC010"),
    fault(
        "an interface that is down",
        [](Facts& f) {
          f.groups[0].settings.interfaces = {"eth0"};
          f.interfaces[1].up = false;
        },
        "TC011"),
    fault(
        "an interface that is missing",
        [](Facts& f) { f.groups[0].settings.interfaces = {"eth7"}; }, "TC011"),
    fault(
        "nobody joined", [](Facts& f) { f.joined->clear(); }, "TC012"),
    fault(
        "joined elsewhere", [](Facts& f) { (*f.joined)[0].interface = "eth1"; }, "TC012"),
    fault(
        "reverse path drops while a peer is not heard",
        [](Facts& f) {
          f.reverse_path_drops = 3;
          peer(f).state = control::PeerState::half_open_in;
        },
        "TC013 TC041"),
    fault(
        "reverse path drops of others", [](Facts& f) { f.reverse_path_drops = 3; }, ""),
    fault(
        "a rule against the relay",
        [](Facts& f) {
          f.packet_filter =
              "table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy "
              "accept;\n\t\tudp dport 45565 "
              "drop\n\t}\n}\n";
        },
        "TC014"),
    fault(
        "injections that do not arrive",
        [](Facts& f) {
          f.agent.status->groups[0].injected = 4;
          f.heard->pop_back();
        },
        "TC015"),
    fault(
        "a full buffer", [](Facts& f) { (*f.udp)[0].drops = 9; }, "TC016"),
    fault(
        "the agent's own drops",
        [](Facts& f) { f.agent.status->drops.add(Reason::kernel_drop, 2); }, "TC016"),
    fault(
        "a slow member", [](Facts& f) { f.agent.status->members[0].interval_seconds = 2; },
        "TC020"),
    fault(
        "a mute member",
        [](Facts& f) {
          f.heard->erase(f.heard->begin());
          f.agent.status->members.erase(f.agent.status->members.begin());
        },
        "TC020"),
    fault(
        "a loopback member", [](Facts& f) { own_beat(f).member.address = address("127.0.1.1"); },
        "TC021"),
    fault(
        "a foreign member", [](Facts& f) { own_beat(f).member.address = address("10.7.7.7"); },
        "TC021"),
    fault(
        "a name that does not resolve, and no member",
        [](Facts& f) {
          f.heard.reset();
          f.own_name = Resolved{"web-1", {}, "no"};
        },
        "TC022"),
    fault(
        "the same where Tomcat needs no name",
        [](Facts& f) {
          f.heard.reset();
          f.own_name = Resolved{"web-1", {}, "no"};
          f.tomcats[0].server_xml->receiver_address = "10.0.0.1";
        },
        ""),
    fault(
        "a name that leads to loopback, and no member",
        [](Facts& f) {
          f.heard.reset();
          f.own_name->addresses = {address("127.0.1.1")};
        },
        "TC022"),
    fault(
        "the same, but a member found its way",
        [](Facts& f) { f.own_name->addresses = {address("127.0.1.1")}; }, ""),
    fault(
        "two on one address", [](Facts& f) { f.agent.status->members[0].host = "10.0.1.2"; },
        "TC023"),
    fault(
        "two domains", [](Facts& f) { f.agent.status->members[1].domain = "shop"; }, "TC024"),
    fault(
        "native multicast", [](Facts& f) { (*f.heard)[1].injected = false; }, "TC025"),
    fault(
        "a port that is refused", [](Facts& f) { f.ports[0].outcome = Outcome::refused; }, "TC026"),
    fault(
        "a port without answer", [](Facts& f) { f.ports[0].outcome = Outcome::no_answer; },
        "TC026"),
    fault(
        "bind", [](Facts& f) { f.tomcats[0].server_xml->membership_bind = "10.0.0.1"; }, "TC030"),
    fault(
        "bind with preferIPv4Stack",
        [](Facts& f) {
          f.tomcats[0].server_xml->membership_bind = "10.0.0.1";
          f.tomcats[0].prefers_ipv4 = true;
        },
        ""),
    fault(
        "option 8", [](Facts& f) { f.tomcats[0].server_xml->send_options = 8; }, "TC031"),
    fault(
        "option 4", [](Facts& f) { f.tomcats[0].server_xml->send_options = 4; }, ""),
    fault(
        "option 10, asynchronous after all",
        [](Facts& f) { f.tomcats[0].server_xml->send_options = 10; }, "TC031"),
    fault(
        "a Tomcat without a cluster", [](Facts& f) { f.tomcats[0].server_xml = ServerXml{}; }, ""),
    fault(
        "an open port", [](Facts& f) { (*f.listeners)[0].local = endpoint("0.0.0.0:4000"); },
        "TC032"),
    fault(
        "a port at a public address",
        [](Facts& f) {
          f.interfaces[1].addresses.push_back(address("203.0.113.9"));
          (*f.listeners)[0].local = own_beat(f).member = endpoint("203.0.113.9:4000");
        },
        "TC032"),
    fault(
        "the same behind a rule",
        [](Facts& f) {
          f.interfaces[1].addresses.push_back(address("203.0.113.9"));
          (*f.listeners)[0].local = own_beat(f).member = endpoint("203.0.113.9:4000");
          f.packet_filter =
              "table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy "
              "accept;\n\t\tip saddr != 10.0.0.0/8 tcp dport 4000 drop\n\t}\n}\n";
        },
        ""),
    fault(
        "a stranger who is connected",
        [](Facts& f) {
          f.connections = {{endpoint("10.0.0.1:4000"), endpoint("10.0.7.7:41000"), true, 0, 0}};
        },
        "TC032"),
    fault(
        "members, peers and this host, connected; a stranger at another port, one who has gone",
        [](Facts& f) {
          f.peer_names[0].addresses.push_back(address("10.0.2.2"));
          f.connections = {{endpoint("10.0.0.1:4000"), endpoint("10.0.1.2:41000"), true, 0, 0},
                           {endpoint("10.0.0.1:4000"), endpoint("10.0.2.2:41000"), true, 0, 0},
                           {endpoint("10.0.0.1:4000"), endpoint("10.0.0.1:41000"), true, 0, 0},
                           {endpoint("10.0.0.1:4001"), endpoint("10.0.7.7:41000"), true, 0, 0},
                           {endpoint("10.0.0.1:4000"), endpoint("10.0.7.7:41001"), false, 0, 0}};
        },
        ""),
    fault(
        "a connection that is stuck",
        [](Facts& f) {
          f.connections = {{endpoint("10.0.0.1:41000"), endpoint("10.0.1.2:4000"), true, 20000, 3}};
        },
        "TC044"),
    fault(
        "one that waits for an answer, and one that has it",
        [](Facts& f) {
          f.connections = {{endpoint("10.0.0.1:41000"), endpoint("10.0.1.2:4000"), true, 20000, 1},
                           {endpoint("10.0.0.1:41001"), endpoint("10.0.1.2:4000"), true, 0, 3}};
        },
        ""),
    fault(
        "one that is stuck where nothing answers",
        [](Facts& f) {
          f.ports[0].outcome = Outcome::no_answer;
          f.connections = {{endpoint("10.0.0.1:41000"), endpoint("10.0.1.2:4000"), true, 20000, 3}};
        },
        "TC026"),
    fault(
        "a rule of iptables-legacy against the relay",
        [](Facts& f) {
          f.legacy_packet_filter =
              "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m udp --dport 45565 -j "
              "DROP\nCOMMIT\n";
        },
        "TC014"),
    fault(
        "a name that does not resolve",
        [](Facts& f) {
          f.peer_names[0].addresses.clear();
          peer(f).endpoint.reset();
          peer(f).last_heard_seconds.reset();
          peer(f).state = control::PeerState::silent;
        },
        "TC040"),
    fault(
        "a silent peer", [](Facts& f) { peer(f).state = control::PeerState::silent; }, "TC041"),
    fault(
        "one that does not hear us",
        [](Facts& f) { peer(f).state = control::PeerState::half_open_out; }, "TC041"),
    fault(
        "a stopped one", [](Facts& f) { peer(f).state = control::PeerState::stopped; }, "TC041"),
    fault(
        "other keys", [](Facts& f) { peer(f).state = control::PeerState::key_rejected; }, "TC042"),
    fault(
        "another version", [](Facts& f) { peer(f).version = "0.9"; }, "TC043"),
    fault(
        "a small path", [](Facts& f) { peer(f).mtu_bytes = 1000; }, "TC044"),
    fault(
        "loss",
        [](Facts& f) {
          peer(f).state = control::PeerState::lossy;
          peer(f).loss_ratio = peer(f).loss_out_ratio = 0.3;
        },
        "TC045"),
    fault(
        "a slow peer", [](Facts& f) { peer(f).rtt_seconds = 0.8; }, "TC046"),
    fault(
        "a wrong clock", [](Facts& f) { peer(f).clock_offset_seconds = -3; }, "TC047"),
    fault(
        "an agent that is away for long",
        [](Facts& f) {
          peer(f).state = control::PeerState::silent;
          peer(f).last_heard_seconds = 301;
        },
        "TC041 TC048"),
    fault(
        "the same of a peer that had no member",
        [](Facts& f) {
          peer(f).state = control::PeerState::silent;
          peer(f).last_heard_seconds = 301;
          f.agent.status->members.pop_back();
        },
        "TC041"),
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_fault_is_found_by_its_check_alone) {
  for (const Fault& fault : kFaults) {
    Facts facts = healthy();
    fault.bring_about(facts);
    BOOST_TEST(found(facts) == fault.ids, fault.what << ": " << found(facts));
  }
}

BOOST_AUTO_TEST_CASE(every_check_has_a_fault_here) {
  std::string all;
  for (const Fault& fault : kFaults) all += std::string(fault.ids) + " ";
  for (const Check& check : checks()) {
    BOOST_TEST(all.find(check.id) != all.npos, check.id);
  }
}

BOOST_AUTO_TEST_CASE(healthy_facts_leave_nothing_unknown) {
  BOOST_TEST(found(healthy(), {Health::unknown}).empty());
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_unknown_and_not_good) {
  Facts facts = healthy();
  facts.root = false;
  facts.agent = {};
  facts.agent.contact = Contact::denied;
  facts.config.running.reset();
  facts.config.keys[0].denied = true;
  facts.packet_socket = facts.raw_socket = Right::denied;
  facts.joined.reset();
  facts.packet_filter.reset();
  facts.packet_filter_error = "only root may";
  facts.tomcats[0].server_xml.reset();
  facts.ports.clear();
  BOOST_TEST(found(facts).empty());
  BOOST_TEST(found(facts, {Health::unknown}) == "TC002 TC003 TC005 TC012 TC014 TC030 TC032 TC041");
  for (const auto& finding : diagnose(facts).findings) {
    if (finding.health == Health::unknown) BOOST_TEST(!finding.fix.empty(), finding.id);
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_comes_with_a_meaning_and_a_remedy) {
  for (const Fault& fault : kFaults) {
    Facts facts = healthy();
    fault.bring_about(facts);
    for (const auto& finding : diagnose(facts).findings) {
      const bool wrong = finding.health == Health::warning || finding.health == Health::failure;
      BOOST_TEST(finding.means.empty() == !wrong, finding.text);
      BOOST_TEST(finding.fix.empty() == !wrong, finding.text);
      BOOST_TEST(!finding.text.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_told_is_unknown) {
  const std::pair<const char*, std::function<void(Facts&)>> kDoubts[] = {
      {"TC014",
       [](Facts& f) {
         f.packet_filter =
             "table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy "
             "accept;\n\t\tudp dport 45565 xt match recent drop\n\t}\n}\n";
       }},
      {"TC031",
       [](Facts& f) {
         f.tomcats[0].server_xml = parse_server_xml("<Cluster channelSendOptions='${o}'>");
       }},
      {"TC044",
       [](Facts& f) {
         peer(f).mtu_bytes.reset();
         f.config.files->relay.max_datagram_bytes = 1400;
         f.config.running = f.config.files;
       }},
  };
  for (const auto& [id, bring_about] : kDoubts) {
    Facts facts = healthy();
    bring_about(facts);
    BOOST_TEST(found(facts).empty(), id);
    BOOST_TEST(found(facts, {Health::unknown}) == id);
  }
}

BOOST_AUTO_TEST_CASE(what_guards_a_port_is_said) {
  const auto said = [](const Facts& facts) {
    for (const auto& finding : diagnose(facts).findings) {
      if (finding.id == "TC032") return finding.text;
    }
    return std::string();
  };
  Facts facts = healthy();
  BOOST_TEST(said(facts).find("only the network") != std::string::npos);
  facts.packet_filter =
      "table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n"
      "\t\tip saddr 10.0.1.2 tcp dport 4000 accept\n\t\tudp dport 45564-45565 accept\n\t}\n}\n";
  BOOST_TEST(found(facts).empty());
  BOOST_TEST(said(facts).find("limit who may connect") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_peers_are_left_out) {
  Facts facts = healthy();
  peer(facts).state = control::PeerState::silent;
  facts.only_peer = "web-3";
  BOOST_TEST(found(facts).empty());
  facts.only_peer = "web-2";
  BOOST_TEST(found(facts) == "TC041");
}

BOOST_AUTO_TEST_CASE(ids_are_unique_and_in_order) {
  std::string before;
  for (const Check& check : checks()) {
    BOOST_TEST(std::string(check.id) > before);
    before = check.id;
    BOOST_TEST(find_check(check.id) == &check);
    BOOST_TEST(!explain_text(check).empty());
    BOOST_TEST(troubleshooting_markdown().find("## " + before + ": ") != std::string::npos);
  }
  BOOST_TEST(find_check("tc041") == find_check("TC041"));
  BOOST_TEST(find_check("TC") == nullptr);
}
