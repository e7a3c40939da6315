// The vendor's files become our configuration.
#define BOOST_TEST_MODULE cli_aliyun_import
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "cli/aliyun_import.h"
#include "config/config.h"

using namespace tribecast;
using namespace tribecast::cli;

namespace {

ImportFile recorded(const std::string& name) {
  std::ifstream in(std::string(TEST_VECTORS) + "/aliyun/" + name, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  auto file = control::aliyun::read(content);
  BOOST_REQUIRE_MESSAGE(bool(file), name);
  return {name, std::move(*file)};
}

ImportFile text(const std::string& content) {
  auto file = control::aliyun::read(content);
  BOOST_REQUIRE_MESSAGE(bool(file), content);
  return {"f", std::move(*file)};
}

// `228.0.0.4=228.0.0.4:45564 | 172.16.1.30(228.0.0.4) 172.16.2.81(all)`
std::string summary(const Import& import) {
  const auto outcome = config::parse({{"import", import.text}});
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), config::to_text(outcome.diagnostics));
  std::string out;
  for (const auto& group : outcome.config->groups) {
    out += group.name + "=" + group.address.to_string() + ":" + std::to_string(group.port) + " ";
  }
  out += "|";
  for (const auto& peer : outcome.config->peers) {
    out += " " + peer.addresses.front().host + "(";
    if (peer.groups.empty()) out += "all";
    for (const auto& group : peer.groups) out += group + (group == peer.groups.back() ? "" : ",");
    out += ")";
  }
  return out;
}

bool warned(const Import& import, const std::string& part) {
  const bool in_text = import.text.find(part) != std::string::npos;
  for (const std::string& warning : import.warnings) {
    if (warning.find(part) != std::string::npos) return in_text;
  }
  return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(both_files_of_a_host) {
  const Import import = import_aliyun({recorded("server_cfg.json"), recorded("client_cfg.json")});
  BOOST_TEST(summary(import) ==
             "228.0.0.4=228.0.0.4:45564 239.254.1.2=239.254.1.2:5000 | "
             "172.16.1.30(228.0.0.4) 172.16.1.31(228.0.0.4) 172.16.2.81(all)");
  BOOST_TEST(import.warnings.size() == 3U);
  BOOST_TEST(warned(import, "server_port 7126 is not taken over"));
  BOOST_TEST(warned(import, "172.16.1.31 only received 228.0.0.4"));
  BOOST_TEST(warned(import, "leave out the host"));
}

BOOST_AUTO_TEST_CASE(a_server_file_alone) {
  const Import import = import_aliyun({recorded("server_cfg.json")});
  BOOST_TEST(summary(import).starts_with("228.0.0.4=228.0.0.4:45564 239.254.1.2=239.254.1.2:0 |"));
  BOOST_TEST(warned(import, "no file names the port of 239.254.1.2"));
  BOOST_TEST(!warned(import, "only received"));
}

BOOST_AUTO_TEST_CASE(files_of_the_kernel_version) {
  const Import import =
      import_aliyun({recorded("kernel_server.json"), recorded("kernel_client.json")});
  BOOST_TEST(summary(import) ==
             "224.0.0.251=224.0.0.251:42424 | 172.16.1.30(all) 172.16.2.81(all)");
  BOOST_TEST(import.warnings.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_iplist_has_everything) {
  const Import import = import_aliyun({recorded("iplist")});
  BOOST_TEST(summary(import) ==
             "228.0.0.4=228.0.0.4:45564 | 172.16.1.30(all) 172.16.1.31(all) 172.16.2.81(all)");
  BOOST_TEST(import.warnings.empty());
}

BOOST_AUTO_TEST_CASE(several_ports_are_several_groups) {
  const Import import =
      import_aliyun({text("228.0.0.4 45564\n10.0.0.1\n"), text("228.0.0.4 5000\n10.0.0.1\n")});
  BOOST_TEST(summary(import) ==
             "228.0.0.4-5000=228.0.0.4:5000 228.0.0.4-45564=228.0.0.4:45564 | 10.0.0.1(all)");
  const Import any =
      import_aliyun({text("228.0.0.4 45564\n10.0.0.1\n"), text("228.0.0.4 0\n10.0.0.1\n")});
  BOOST_TEST(summary(any) == "228.0.0.4=228.0.0.4:0 | 10.0.0.1(all)");
}

BOOST_AUTO_TEST_CASE(what_has_no_counterpart) {
  struct Row {
    const char* text;
    const char* warning;
  };
  for (const Row& row : {
           Row{"172.16.255.255 80\n10.0.0.1\n",
               "the group '172.16.255.255' is not taken over: 172.16.255.255 is no multicast"},
           Row{"224.0.0.18 0\n10.0.0.1\n", "224.0.0.18 is VRRP's, which is no UDP"},
           Row{"228.0.0.4 1\n10.0.0\n", "the address '10.0.0' is not taken over"},
           Row{"228.0.0.4 1\nweb-1\n", "the address 'web-1' is not taken over"},
           Row{"228.0.0.4 1\n[::1]:5\n", "the address '[::1]:5' is not taken over"},
           Row{"228.0.0.4 1\n228.0.0.9\n", "228.0.0.9 is no address of one host"},
           Row{"{\"multi_group_array\": [], \"x\\n[node]\": 1}", "unknown key 'x?[node]'"},
       }) {
    const Import import = import_aliyun({text(row.text)});
    BOOST_TEST(warned(import, row.warning), row.warning);
    BOOST_TEST(config::parse({{"i", import.text}}).config.has_value(), import.text);
  }
}
