// The engine's configuration: defaults, every key, and mistakes named by their place.
#define BOOST_TEST_MODULE engine_config
#include <boost/test/unit_test.hpp>

#include "engine/daemon/config.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::engine;

namespace {

Outcome from(const std::string& text) { return parse_config({{"engine.conf", text}}); }

std::string findings(const std::string& text) { return config::to_text(from(text).findings); }

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_set_is_tomcat_s_defaults) {
  const Outcome outcome = from("");
  BOOST_REQUIRE(outcome.config.has_value());
  const Config& c = *outcome.config;
  BOOST_TEST(c.listen.to_string() == "0.0.0.0:4000");
  BOOST_TEST(!c.announce.has_value());
  BOOST_TEST(c.group->to_string() == "228.0.0.4:45564");
  BOOST_TEST((c.frequency == milliseconds(500)));
  BOOST_TEST((c.drop_time == seconds(3)));
  BOOST_TEST(c.ttl_hops == 1U);
  BOOST_TEST(c.interceptors.empty());
  BOOST_TEST(c.max_message_bytes == 256U << 20U);
  BOOST_TEST(c.max_connections == 1024U);
  BOOST_TEST(c.state_directory == "/var/lib/tribecast-engine");
  BOOST_TEST(c.members.empty());
  BOOST_TEST((c.heal == keeper::Heal::yes));
  BOOST_TEST(c.answers_first);
}

BOOST_AUTO_TEST_CASE(every_key_is_read) {
  const Outcome outcome = from(R"([engine]
name = engine-1
listen = 10.0.0.9:4100
announce = 192.0.2.9
unique-id = 0F0102030405060708090a0b0c0d0e0f
state-directory = /srv/engine
domain = shop
allow = 10.0.0.0/8, 192.0.2.1
heal = report
state-master = last
[membership]
group = none
frequency = 250ms
drop-time = 5s
ttl = 4
[channel]
interceptors = order, gzip, encrypt, fragmentation
fragment-size = 64k
encryption = cbc
encryption-key = /etc/tribecast/channel.key
[limits]
max-connections = 10
max-message = 1m
receive-memory = 2m
send-memory = 3m
send-timeout = 1s
[member "web-1"]
address = 10.0.0.1
unique-id = {0,1,2,3,4,5,6,7,8,9,10,11,12,13,-1,255}
domain = shop
[member "web-2"]
address = 10.0.0.2:4001
unique-id = 000102030405060708090a0b0c0d0e0f
)");
  BOOST_TEST(config::to_text(outcome.findings).empty());
  BOOST_REQUIRE(outcome.config.has_value());
  const Config& c = *outcome.config;
  BOOST_TEST(c.name == "engine-1");
  BOOST_TEST(c.announce->to_string() == "192.0.2.9");
  BOOST_TEST((*c.unique_id)[0] == 15U);
  BOOST_TEST(c.allow.size() == 2U);
  BOOST_TEST((c.heal == keeper::Heal::report));
  BOOST_TEST(!c.answers_first);
  BOOST_TEST(!c.group.has_value());
  BOOST_TEST(c.interceptors.size() == 4U);
  BOOST_TEST((c.interceptors[2] == InterceptorKind::encrypt));
  BOOST_TEST((c.encrypt == EncryptKind::cbc));
  BOOST_TEST(c.fragment_bytes == 65536U);
  BOOST_TEST(c.send_memory_bytes == 3U << 20U);
  BOOST_REQUIRE(c.members.size() == 2U);
  BOOST_TEST(c.members[0].endpoint.to_string() == "10.0.0.1:4000");
  BOOST_TEST((*c.members[0].unique_id)[14] == 255U);
  BOOST_TEST((*c.members[1].unique_id)[15] == 15U);
  BOOST_TEST(view_of(c.members[0].domain) == "shop");
}

BOOST_AUTO_TEST_CASE(what_is_kept_and_how_well) {
  const Outcome none = from("");
  BOOST_REQUIRE(none.config.has_value());
  BOOST_TEST(none.config->memory_limit_bytes == 1ULL << 30U);
  BOOST_TEST((none.config->fsync == Fsync::interval));
  BOOST_TEST((none.config->ack == keeper::AckLevel::memory));
  const Outcome outcome = from(R"([sessions]
memory-limit = 2g
fetch-limit = 0
fsync = always
commit-interval = 5ms
ack = disk
key-file = /etc/tribecast/engine.keys
restart-grace = 1h
)");
  BOOST_TEST(config::to_text(outcome.findings).empty());
  BOOST_REQUIRE(outcome.config.has_value());
  const Config& c = *outcome.config;
  BOOST_TEST(c.memory_limit_bytes == 2ULL << 30U);
  BOOST_TEST(c.fetch_limit_sessions == 0U);
  BOOST_TEST(c.on_disk);
  BOOST_TEST((c.fsync == Fsync::always));
  BOOST_TEST((c.commit_interval == milliseconds(5)));
  BOOST_TEST((c.ack == keeper::AckLevel::disk));
  BOOST_TEST(c.key_file == "/etc/tribecast/engine.keys");
  BOOST_TEST((c.restart_grace == std::chrono::hours(1)));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named_with_their_place) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"[engine]\nlisten = nowhere\n", "engine.conf:2: error: engine: 'nowhere' is no address"},
      {"[engine]\nlisten = 228.0.0.4:1\n", "is a multicast address"},
      {"[engine]\nannounce = 0.0.0.0\n", "no address that members could connect to"},
      {"[engine]\nlisen = 1.2.3.4\n", "did you mean 'listen'?"},
      {"[engin]\n", "did you mean 'engine'?"},
      {"[membership]\ngroup = 10.0.0.1:45564\n", "no IPv4 multicast address"},
      {"[membership]\nfrequency = 1ms\n", "1ms is not in 100ms-10s"},
      {"[membership]\ndrop-time = 600ms\n", "drop-time is below twice the frequency"},
      {"[membership]\ngroup = none\n", "there is no group and no [member]"},
      {"[channel]\ninterceptors = gzp\n", "did you mean 'gzip'?"},
      {"[channel]\ninterceptors = gzip, gzip\n", "'gzip' occurs twice in the list"},
      {"[channel]\ninterceptors = encrypt\n", "encrypt needs an encryption-key"},
      {"[sessions]\nfsync = sometimes\n", "'sometimes' is none of: always, interval, off"},
      {"[sessions]\nstore = memory\nack = disk\n",
       "engine.conf:3: error: sessions: ack = disk without a disk"},
      {"[sessions]\nstore = memory\nkey-file = /etc/tribecast/engine.keys\n",
       "engine.conf:3: error: sessions: key-file without a disk"},
      {"[limits]\nmax-message = 1\n", "1 is not in 64k-2047m"},
      {"[member]\naddress = 10.0.0.1\n", "[member] has no name"},
      {"[member \"a\"]\n", "member \"a\": address is missing"},
      {"[member \"a\"]\naddress = 0.0.0.0:4000\n", "is a wildcard"},
      {"[member \"a\"]\naddress = 10.0.0.1\nunique-id = {1,2}\n", "neither {16 bytes"},
      {"[member \"a\"]\naddress = 10.0.0.1\n[member \"b\"]\naddress = 10.0.0.1:4000\n",
       "engine.conf:4: error: member \"b\": another member has it already"},
  };
  for (const auto& [text, expected] : table) {
    const std::string found = findings(text);
    BOOST_TEST(found.find(expected) != std::string::npos, text << "gives:\n" << found);
    BOOST_TEST(!from(text).config.has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_loopback_address_is_warned_of) {
  const Outcome outcome = from("[engine]\nannounce = 127.0.0.1\n");
  BOOST_TEST(outcome.config.has_value());
  BOOST_TEST(config::to_text(outcome.findings).find("would connect to themselves") !=
             std::string::npos);
}

// Its table of settings is written by hand.
BOOST_AUTO_TEST_CASE(the_manual_tells_every_setting_as_it_is) {
  const std::string manual = tribecast::test::vector_text("../../../docs/engine.md");
  for (const config::Setting& s : table().settings) {
    const auto quoted = [](std::string_view text) {
      return text.empty() ? std::string() : "`" + std::string(text) + "`";
    };
    const std::string range =
        s.low.empty() ? "" : std::string(s.low) + " to " + std::string(s.high);
    const std::string row = "| `" + std::string(s.key) + "` | " + std::string(s.kind) + " | " +
                            quoted(s.fallback) + " | " + range + " | " +
                            std::string(s.description) + " |";
    BOOST_TEST(manual.find(row) != std::string::npos, row);
  }
}

BOOST_AUTO_TEST_CASE(every_setting_has_a_section_a_meaning_and_is_there_once) {
  for (const config::Setting& s : table().settings) {
    BOOST_TEST(table().find_section(s.section) != nullptr, s.key);
    BOOST_TEST(table().find_setting(s.section, s.key) == &s, s.key);
    BOOST_TEST(s.description.ends_with('.'), s.key);
  }
}
