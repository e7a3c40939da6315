// Who uses which key, and what stands in the way of a change of the ring.
#define BOOST_TEST_MODULE control_key_list
#include <boost/test/unit_test.hpp>

#include "control/json.h"
#include "control/key_list.h"
#include "status_fixture.h"

using namespace tribecast::control;

namespace {

// web-1 is this node; the new key 2 is its primary one.
std::vector<KeyRow> ring() {
  KeyRow old;
  old.id = 1;
  old.fingerprint = "01020304";
  KeyRow fresh;
  fresh.id = 2;
  fresh.fingerprint = "0a0b0c0d";
  fresh.primary = true;
  return {old, fresh};
}

Status status_of(std::uint64_t sent, std::uint64_t heard, std::vector<PeerKey> keys) {
  Status s;
  s.peers = {peer("web-1", PeerState::self), peer("web-2", PeerState::up)};
  s.peers[1].key_id = sent;
  s.peers[1].heard_key_id = heard;
  s.peers[1].keys = std::move(keys);
  return s;
}

const PeerKey kOld{1, "01020304", false};
const PeerKey kOldPrimary{1, "01020304", true};
const PeerKey kFresh{2, "0a0b0c0d", false};
const PeerKey kFreshPrimary{2, "0a0b0c0d", true};

using Texts = std::vector<std::string>;

Texts removal(const Status& status) {
  return removal_obstacles(*list_keys("f", ring(), &status).find(1));
}
Texts use(const Status& status) { return use_obstacles(*list_keys("f", ring(), &status).find(2)); }

}  // namespace

BOOST_AUTO_TEST_CASE(what_stands_in_the_way_of_a_removal) {
  BOOST_TEST((removal(status_of(2, 2, {kFreshPrimary, kOld})) == Texts{}));
  BOOST_TEST((removal(status_of(1, 1, {kFreshPrimary, kOld})) ==
              Texts{"peer web-2: the session with it was made with this key"}));
  BOOST_TEST((removal(status_of(2, 1, {kFreshPrimary, kOld})) ==
              Texts{"peer web-2 still sends in a session that was made with this key"}));
  BOOST_TEST((removal(status_of(2, 2, {kOldPrimary, kFresh})) ==
              Texts{"peer web-2 has it as its primary key"}));
}

BOOST_AUTO_TEST_CASE(what_stands_in_the_way_of_a_use) {
  BOOST_TEST((use(status_of(1, 1, {kOldPrimary, kFresh})) == Texts{}));
  BOOST_TEST((use(status_of(1, 1, {kOldPrimary})) == Texts{"peer web-2 does not hold this key"}));
  BOOST_TEST((use(status_of(1, 1, {kOldPrimary, {2, "ffffffff", false}})) ==
              Texts{"peer web-2 holds another key under this id"}));
}

BOOST_AUTO_TEST_CASE(a_peer_without_a_session_is_not_known) {
  Status s;
  s.peers = {peer("web-1", PeerState::self), peer("web-2", PeerState::silent)};
  BOOST_TEST((removal(s) == Texts{}));
  BOOST_TEST((use(s) == Texts{}));
  BOOST_TEST((*list_keys("f", ring(), &s).unknown == Texts{"web-2"}));
  BOOST_TEST(!list_keys("f", ring(), nullptr).unknown);
}

BOOST_AUTO_TEST_CASE(as_text) {
  const Status s = status_of(2, 1, {kFreshPrimary, kOld});
  BOOST_TEST(key_list_text(list_keys("f", ring(), &s), {}) ==
             "KEY  PRIMARY  FINGERPRINT  USED BY\n"
             "  1           01020304     web-2 (heard)\n"
             "  2  primary  0a0b0c0d     web-2 (sent)\n");
  Status none;
  none.peers = {peer("web-2", PeerState::up), peer("web-3", PeerState::silent)};
  none.peers[0].keys = {kOldPrimary};
  BOOST_TEST(key_list_text(list_keys("f", ring(), &none), {}) ==
             "KEY  PRIMARY  FINGERPRINT  USED BY\n"
             "  1           01020304     web-2 (primary there)\n"
             "  2  primary  0a0b0c0d     nobody\n"
             "\n"
             "key 2: peer web-2 does not hold this key\n"
             "what peer web-3 holds is not known\n");
}

BOOST_AUTO_TEST_CASE(as_json) {
  const Status s = status_of(2, 1, {kFreshPrimary});
  const std::string text = key_list_json(list_keys("f", ring(), &s), "now");
  for (const char* part :
       {"\"schema\": \"tribecast.key-list/1\"", "\"keyring\": \"f\"", "\"name\": \"web-2\"",
        "\"fingerprint\": \"01020304\"", "\"missing_at\": [\n        \"web-2\"\n      ]",
        "\"unknown_peers\": []"}) {
    BOOST_TEST(text.find(part) != text.npos, text);
  }
}
