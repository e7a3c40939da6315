// The files of Aliyun's multicast proxy, read.
#define BOOST_TEST_MODULE control_aliyun
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "control/aliyun.h"

using namespace tribecast::control;
using aliyun::Kind;

namespace {

std::string recorded(const std::string& name) {
  std::ifstream in(std::string(TEST_VECTORS) + "/aliyun/" + name, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(in, name);
  return {std::istreambuf_iterator<char>(in), {}};
}

aliyun::File read_recorded(const std::string& name) {
  auto file = aliyun::read(recorded(name));
  BOOST_REQUIRE_MESSAGE(bool(file), name);
  BOOST_TEST(file->odd.empty());
  return std::move(*file);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_file) {
  const aliyun::File file = read_recorded("server_cfg.json");
  BOOST_TEST((file.kind == Kind::server));
  BOOST_REQUIRE(file.groups.size() == 2U);
  BOOST_TEST(file.groups[0].address == "228.0.0.4");
  BOOST_TEST(file.groups[0].port.value() == 45564U);
  BOOST_TEST(file.groups[0].server_port.value() == 7126U);
  BOOST_TEST(file.groups[0].members.size() == 3U);
  BOOST_TEST(file.groups[1].members.front() == "172.16.2.81");
}

BOOST_AUTO_TEST_CASE(a_client_file) {
  const aliyun::File file = read_recorded("client_cfg.json");
  BOOST_TEST((file.kind == Kind::client));
  BOOST_REQUIRE(file.servers.size() == 3U);
  BOOST_TEST(file.servers[2].address == "172.16.2.81");
  BOOST_TEST(file.servers[2].group == "239.254.1.2");
  BOOST_TEST(file.servers[2].port.value() == 5000U);
}

BOOST_AUTO_TEST_CASE(files_of_the_kernel_version) {
  const aliyun::File server = read_recorded("kernel_server.json");
  BOOST_REQUIRE(server.groups.size() == 1U);
  BOOST_TEST(!server.groups[0].port.has_value());
  const aliyun::File client = read_recorded("kernel_client.json");
  BOOST_REQUIRE(client.servers.size() == 2U);
  BOOST_TEST(client.servers[0].port.value() == 42424U);
  BOOST_TEST(client.servers[1].port.value() == 42424U);
}

BOOST_AUTO_TEST_CASE(an_iplist) {
  const aliyun::File file = read_recorded("iplist");
  BOOST_TEST((file.kind == Kind::iplist));
  BOOST_REQUIRE(file.groups.size() == 1U);
  BOOST_TEST(file.groups[0].port.value() == 45564U);
  BOOST_TEST((file.groups[0].members ==
              std::vector<std::string>{"172.16.1.30", "172.16.1.31", "172.16.2.81"}));
}

BOOST_AUTO_TEST_CASE(what_is_odd_is_told) {
  const auto file = aliyun::read(
      R"({"multi_group_array": [{"group_ip": "228.0.0.4", "group_port": 70000, "ttl": 3,
          "member_array": [7]}, "x"], "version": 2})");
  BOOST_REQUIRE(bool(file));
  BOOST_TEST((file->odd == std::vector<std::string>{
                               "unknown key 'version'", "multi_group_array: unknown key 'ttl'",
                               "group_port is no port", "member_array: a member that is no text",
                               "multi_group_array: an entry that is no object"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_such_file) {
  struct Row {
    std::string text;
    const char* error;
  };
  std::string many = "{\"multi_server_info_array\":[";
  for (int i = 0; i < 4097; ++i) many += i == 0 ? "{}" : ",{}";
  std::string list = "228.0.0.4 1\n";
  for (int i = 0; i < 4097; ++i) list += "10.0.0.1\n";
  for (const Row& row : {
           Row{"", "the file is empty"},
           Row{"# nothing\n", "the file is empty"},
           Row{"228.0.0.4\n10.0.0.1\n",
               "line 1: '228.0.0.4' is no group and port, such as 228.0.0.4 45564"},
           Row{"228.0.0.4 70000\n",
               "line 1: '228.0.0.4 70000' is no group and port, such as 228.0.0.4 45564"},
           Row{"{\"multi_group_array\": [", "this is no JSON"},
           Row{"{}", "neither multi_group_array nor multi_server_info_array is in it"},
           Row{"[1]", "neither multi_group_array nor multi_server_info_array is in it"},
           Row{"{\"multi_group_array\": 3}", "multi_group_array is no list"},
           Row{"{\"multi_group_array\": [{\"member_array\": {}}]}", "member_array is no list"},
           Row{std::string(1, '\0'), "here is no text"},
           Row{std::string((1U << 20U) + 1, ' '), "larger than 1 MiB"},
           Row{many + "]}", "more than 4096 entries"},
           Row{list, "more than 4096 entries"},
           Row{std::string(200000, '['), "this is no JSON"},
       }) {
    const auto file = aliyun::read(row.text);
    BOOST_REQUIRE_MESSAGE(!file, row.error);
    BOOST_TEST(file.error() == row.error);
  }
}
