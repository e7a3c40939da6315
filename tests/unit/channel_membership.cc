// The membership table: who comes, leaves, dies, is suspected.
#define BOOST_TEST_MODULE channel_membership
#include <boost/test/unit_test.hpp>

#include "channel_fixture.h"
#include "engine/channel/membership.h"

using namespace tribecast;
using namespace tribecast::channel;
using channel::test::at;
using channel::test::member;

namespace {

const tribes::OwnedMember kSelf = member(100);

// A table, and all that it said.
struct Table {
  explicit Table(MembershipSettings settings = {}) : membership(settings, kSelf.identity) {}

  Refusal beat(Instant now, const tribes::OwnedMember& from) {
    return membership.on_heartbeat(now, from.view(), news);
  }
  Refusal goodbye(Instant now, tribes::OwnedMember from) {
    from.command = copy_of(tribes::shutdown_command());
    return beat(now, from);
  }
  void probed(Instant now, const tribes::OwnedMember& who, ProbeResult result) {
    membership.on_probe(now, who.identity, result, news);
  }
  void come(Instant now, const tribes::OwnedMember& who) {
    beat(now, who);
    probed(now, who, ProbeResult::reached);
    forget();
  }
  void check(Instant now) { membership.check(now, news); }
  void forget() { news = {}; }

  [[nodiscard]] std::string events() const {
    static const std::map<MemberChange, std::string> kNames = {
        {MemberChange::came, "came"},     {MemberChange::left, "left"},
        {MemberChange::lost, "lost"},     {MemberChange::replaced, "replaced"},
        {MemberChange::silent, "silent"}, {MemberChange::heard, "heard"},
        {MemberChange::told, "told"}};
    std::string all;
    for (const MemberEvent& event : news.events) {
      all += kNames.at(event.change) + " " + event.member.identity.name() + ";";
    }
    return all;
  }
  [[nodiscard]] std::vector<std::string> up() const {
    std::vector<std::string> names;
    for (const auto* entry : membership.up()) names.push_back(entry->member.identity.name());
    return names;
  }

  Membership membership;
  Membership::News news;
};

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(a_member_comes_once_it_was_heard_and_reached) {
  Table table;
  BOOST_TEST((table.beat(at({}), member(1)) == Refusal::none));
  BOOST_TEST(table.events().empty());
  BOOST_REQUIRE(table.news.probes.size() == 1U);
  BOOST_TEST((table.news.probes[0] == member(1).identity));
  table.probed(at({}), member(1), ProbeResult::reached);
  BOOST_TEST(table.events() == "came 10.81.0.1:4000;");
  table.forget();
  table.beat(at(seconds(1)), member(1));
  BOOST_TEST(table.events().empty());
  BOOST_TEST(table.news.probes.empty());
}

BOOST_AUTO_TEST_CASE(one_that_is_not_reached_is_tried_again_while_it_beats) {
  Table table;
  table.beat(at({}), member(1));
  table.probed(at({}), member(1), ProbeResult::not_reached);
  table.forget();
  for (int i = 1; i < 10; ++i) {
    table.beat(at(milliseconds(500) * i), member(1));
    table.check(at(milliseconds(500) * i));
  }
  BOOST_TEST(table.news.probes.empty());
  table.check(at(seconds(5)));
  BOOST_TEST(table.news.probes.size() == 1U);
  table.probed(at(seconds(5)), member(1), ProbeResult::reached);
  BOOST_TEST(table.events() == "came 10.81.0.1:4000;");
}

BOOST_AUTO_TEST_CASE(one_that_was_never_reached_and_falls_silent_is_forgotten_without_a_word) {
  Table table;
  table.beat(at({}), member(1));
  table.probed(at({}), member(1), ProbeResult::not_reached);
  table.check(at(milliseconds(3001)));
  BOOST_TEST(table.events().empty());
  BOOST_TEST(table.membership.size() == 0U);
}

BOOST_AUTO_TEST_CASE(the_eldest_is_first) {
  Table table;
  table.come(at({}), member(1, 500));
  table.come(at({}), member(2, 9000));
  table.come(at({}), member(3, 700));
  BOOST_TEST((table.up() == Names{"10.81.0.2:4000", "10.81.0.3:4000", "10.81.0.1:4000"}));
  table.beat(at(seconds(1)), member(1, 10000));
  BOOST_TEST((table.up().front() == "10.81.0.1:4000"));
}

BOOST_AUTO_TEST_CASE(a_silent_member_stays_while_its_port_answers) {
  Table table;
  table.come(at({}), member(1));
  table.check(at(seconds(3)));
  BOOST_TEST(table.news.probes.empty());  // the drop time is not over: "more than"
  table.check(at(milliseconds(3001)));
  BOOST_TEST(table.news.probes.size() == 1U);
  table.probed(at(milliseconds(3002)), member(1), ProbeResult::reached);
  BOOST_TEST(table.events() == "silent 10.81.0.1:4000;");
  BOOST_TEST((table.membership.find(member(1).identity)->state == MemberState::suspect));
  BOOST_TEST(table.up().size() == 1U);
  table.forget();
  table.check(at(seconds(9)));
  BOOST_TEST(table.news.probes.size() == 1U);
  table.forget();
  table.beat(at(seconds(10)), member(1));
  BOOST_TEST((table.membership.find(member(1).identity)->state == MemberState::up));
  BOOST_TEST(table.events() == "heard 10.81.0.1:4000;");
}

BOOST_AUTO_TEST_CASE(a_silent_member_whose_port_does_not_answer_is_lost) {
  Table table;
  table.come(at({}), member(1));
  table.check(at(milliseconds(3001)));
  table.probed(at(seconds(4)), member(1), ProbeResult::not_reached);
  BOOST_TEST(table.events() == "silent 10.81.0.1:4000;lost 10.81.0.1:4000;");
  BOOST_TEST(table.membership.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_probe_that_this_host_could_not_make_proves_nothing) {
  Table table;
  table.come(at({}), member(1));
  table.check(at(milliseconds(3001)));
  table.probed(at(seconds(4)), member(1), ProbeResult::not_tried);
  BOOST_TEST(table.events() == "silent 10.81.0.1:4000;");
  table.forget();
  table.check(at(seconds(9)));
  BOOST_TEST(table.news.probes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(failed_sending_makes_a_probe_and_not_more) {
  Table table;
  table.come(at({}), member(1));
  table.membership.on_send_failed(at(seconds(1)), member(1).identity, table.news);
  table.membership.on_send_failed(at(seconds(1)), member(1).identity, table.news);
  BOOST_TEST(table.news.probes.size() == 1U);
  table.forget();
  table.probed(at(seconds(2)), member(1), ProbeResult::not_reached);
  // It beats still, so it is looked at again.
  BOOST_TEST(table.events() == "lost 10.81.0.1:4000;");
  BOOST_TEST(table.membership.size() == 1U);
  table.beat(at(seconds(6)), member(1));
  table.check(at(seconds(7)));
  BOOST_TEST(table.news.probes.size() == 1U);
  table.probed(at(seconds(7)), member(1), ProbeResult::reached);
  BOOST_TEST(table.events() == "lost 10.81.0.1:4000;came 10.81.0.1:4000;");
}

BOOST_AUTO_TEST_CASE(a_goodbye_counts_at_once_and_a_late_heartbeat_undoes_it_not) {
  Table table;
  table.come(at({}), member(1));
  BOOST_TEST((table.goodbye(at(seconds(1)), member(1)) == Refusal::none));
  BOOST_TEST(table.events() == "left 10.81.0.1:4000;");
  BOOST_TEST((table.beat(at(seconds(2)), member(1)) == Refusal::held));
  BOOST_TEST((table.beat(at(seconds(2)), member(1, 1, 77)) == Refusal::none));  // another process
  BOOST_TEST((table.beat(at(seconds(5)), member(1)) == Refusal::none));
}

BOOST_AUTO_TEST_CASE(who_is_restarted_replaces_its_former_self) {
  Table table;
  table.come(at({}), member(1));
  table.beat(at(seconds(1)), member(1, 1, 77));
  BOOST_TEST(table.events() == "replaced 10.81.0.1:4000;");
  BOOST_TEST(table.membership.size() == 1U);
}

BOOST_AUTO_TEST_CASE(refused_are_self_other_domains_other_networks_and_odd_addresses) {
  MembershipSettings settings;
  settings.only_domain = copy_of(bytes_of("shop"));
  settings.allowed = {*Prefix::parse("10.81.0.0/24")};
  Table table(settings);
  tribes::OwnedMember one = member(1);
  BOOST_TEST((table.beat(at({}), one) == Refusal::other_domain));
  one.domain = *settings.only_domain;
  BOOST_TEST((table.beat(at({}), one) == Refusal::none));
  one.identity.host = {10, 82, 0, 1};
  BOOST_TEST((table.beat(at({}), one) == Refusal::not_allowed));
  one.identity.host = {10, 81, 0};
  BOOST_TEST((table.beat(at({}), one) == Refusal::malformed));
  one = member(1);
  one.identity.port = 65536;
  BOOST_TEST((table.beat(at({}), one) == Refusal::malformed));
  BOOST_TEST((table.beat(at({}), kSelf) == Refusal::own));
  BOOST_TEST((table.goodbye(at({}), kSelf) == Refusal::own));
}

BOOST_AUTO_TEST_CASE(members_are_bounded) {
  MembershipSettings settings;
  settings.max_members = 2;
  Table table(settings);
  table.come(at({}), member(1));
  table.come(at({}), member(2));
  BOOST_TEST((table.beat(at({}), member(3)) == Refusal::too_many));
  table.goodbye(at({}), member(1));
  BOOST_TEST((table.beat(at({}), member(3)) == Refusal::none));
}

BOOST_AUTO_TEST_CASE(a_static_member_is_probed_and_needs_no_heartbeat) {
  MembershipSettings settings;
  settings.static_members = {{{Address::v4(0x0a510001), 4000}, member(1).identity.unique_id, {}},
                             {{Address::v4(0x0a510064), 4000}, std::nullopt, {}}};  // itself
  Table table(settings);
  BOOST_TEST(table.membership.size() == 1U);
  table.check(at({}));
  BOOST_REQUIRE(table.news.probes.size() == 1U);
  table.probed(at({}), member(1), ProbeResult::reached);
  table.check(at(seconds(4)));
  BOOST_TEST(table.news.probes.size() == 1U);
  table.check(at(seconds(5)));
  BOOST_TEST(table.news.probes.size() == 2U);
  table.probed(at(seconds(6)), member(1), ProbeResult::not_reached);
  BOOST_TEST(table.events() == "came 10.81.0.1:4000;lost 10.81.0.1:4000;");
  table.check(at(seconds(11)));
  table.probed(at(seconds(11)), member(1), ProbeResult::reached);
  BOOST_TEST(table.up().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_static_member_says_when_it_starts_and_stops) {
  MembershipSettings settings;
  settings.static_members = {{{Address::v4(0x0a510001), 4000}, member(1).identity.unique_id, {}}};
  Table table(settings);
  table.membership.on_static_note(at({}), member(1).view(), false, table.news);
  BOOST_TEST(table.news.probes.size() == 1U);
  table.probed(at({}), member(1), ProbeResult::reached);
  table.membership.on_static_note(at(seconds(1)), member(1).view(), true, table.news);
  BOOST_TEST(table.events() == "came 10.81.0.1:4000;left 10.81.0.1:4000;");
  // One that is in no list says it in vain.
  table.forget();
  table.membership.on_static_note(at(seconds(1)), member(9).view(), false, table.news);
  BOOST_TEST(table.news.probes.empty());
}

// Two engines with static lists know each other by what they say of themselves.
BOOST_AUTO_TEST_CASE(what_a_static_member_says_of_itself_is_told_once) {
  MembershipSettings settings;
  settings.static_members = {{{Address::v4(0x0a510001), 4000}, member(1).identity.unique_id, {}}};
  Table table(settings);
  table.membership.check(at({}), table.news);
  table.probed(at({}), member(1), ProbeResult::reached);
  table.forget();
  tribes::OwnedMember who = member(1);
  who.payload = copy_of(bytes_of("something"));
  table.membership.on_sender(at(seconds(1)), who.view(), table.news);
  BOOST_TEST(table.events() == "told 10.81.0.1:4000;");
  BOOST_TEST(same(table.news.events.at(0).member.payload, who.payload));
  table.membership.on_sender(at(seconds(2)), who.view(), table.news);
  BOOST_TEST(table.news.events.size() == 1U);
  // When it starts it is probed at once, so that it hears who is here.
  table.forget();
  table.membership.on_static_note(at(seconds(3)), who.view(), false, table.news);
  BOOST_TEST(table.events().empty());
  BOOST_TEST((table.news.probes == std::vector{member(1).identity}));
}

BOOST_AUTO_TEST_CASE(the_unique_id_of_a_static_member_is_learned) {
  MembershipSettings settings;
  settings.static_members = {{{Address::v4(0x0a510001), 4000}, std::nullopt, {}}};
  Table table(settings);
  table.membership.on_sender(at({}), member(1).view(), table.news);
  BOOST_TEST(table.membership.find(member(1).identity) != nullptr);
  table.probed(at({}), member(1), ProbeResult::reached);
  table.forget();
  // Restarted, it has another one.
  table.membership.on_sender(at(seconds(1)), member(1, 1, 77).view(), table.news);
  BOOST_TEST(table.events() == "replaced 10.81.0.1:4000;");
  BOOST_TEST(table.membership.size() == 1U);
  BOOST_TEST((table.news.probes == std::vector{member(1, 1, 77).identity}));
}
