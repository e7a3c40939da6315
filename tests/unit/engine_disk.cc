// What outlives the engine: a real database in a directory of its own.
#define BOOST_TEST_MODULE engine_disk
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/daemon/disk.h"

using namespace tribecast;
using namespace tribecast::engine;
namespace fs = std::filesystem;

namespace {

Buffer buffer(const std::string& text) { return copy_of(bytes_of(text)); }

using Records = std::map<std::string, std::string>;

struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "tribecast-disk-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    top = name;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { fs::remove_all(top); }
  [[nodiscard]] std::string sessions() const { return (top / "sessions").string(); }

  fs::path top;
};

std::optional<seal::RecordSeal> sealed_with(std::vector<std::uint8_t> ids) {
  if (ids.empty()) return std::nullopt;
  seal::Keyring ring;
  for (const std::uint8_t id : ids) ring.keys.push_back({id, seal::Key(Buffer(32, id))});
  ring.primary_id = ids.back();
  return seal::RecordSeal(ring);
}

struct Opened {
  // The last one of the keys is the primary one; without any nothing is sealed.
  explicit Opened(const Place& place, const std::vector<std::uint8_t>& keys = {}) {
    auto opened = Disk::open(loop, place.sessions(), true, sealed_with(keys));
    if (!opened) throw std::runtime_error(opened.error().message());
    disk = std::move(*opened);
  }
  Disk::Loaded load() {
    const auto loaded =
        disk->load([&](Bytes key, Bytes value) { records[text_of(key)] = text_of(value); });
    BOOST_REQUIRE(static_cast<bool>(loaded));
    return *loaded;
  }
  // Why not, or nothing.
  std::string write(const Records& what, const std::string& without = {}) {
    std::vector<session::Saved> batch;
    for (const auto& [key, value] : what) batch.push_back({buffer(key), buffer(value)});
    if (!without.empty()) batch.push_back({buffer(without), std::nullopt});
    std::optional<std::string> result;
    disk->write(std::move(batch), [&](const std::string& why) { result = why; });
    BOOST_TEST(disk->is_busy());
    loop.restart();
    auto work = boost::asio::make_work_guard(loop);
    while (!result) loop.run_one();
    BOOST_TEST(!disk->is_busy());
    return *result;
  }

  io::Loop loop;
  std::unique_ptr<Disk> disk;
  Records records;
};

fs::path file_with(const std::string& directory, const std::string& ending) {
  fs::path largest;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ending) continue;
    if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
  }
  BOOST_TEST_REQUIRE(!largest.empty());
  return largest;
}

bool holds(const std::string& directory, const std::string& text) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

void flip_byte(const fs::path& file, std::size_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte ^ 0x40));
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_written_is_there_after_a_restart) {
  const Place place;
  {
    Opened first(place);
    BOOST_TEST(first.load().records == 0U);
    BOOST_TEST(first.write({{"a", "1"}, {"b", "2"}, {"c", ""}}).empty());
    BOOST_TEST(first.write({{"a", "3"}}, "b").empty());
  }
  Opened second(place);
  const Disk::Loaded loaded = second.load();
  BOOST_TEST(loaded.records == 2U);
  BOOST_TEST(loaded.damage.empty());
  BOOST_TEST((second.records == Records{{"a", "3"}, {"c", ""}}));
}

BOOST_AUTO_TEST_CASE(nobody_else_may_read_it) {
  const Place place;
  Opened opened(place);
  BOOST_TEST(opened.write({{"a", "1"}}).empty());
  for (const auto& entry : fs::directory_iterator(place.sessions())) {
    const auto rights = static_cast<unsigned>(entry.status().permissions());
    BOOST_TEST((rights & 077U) == 0U, entry.path().string());
  }
  BOOST_TEST((static_cast<unsigned>(fs::status(place.sessions()).permissions()) & 077U) == 0U);
}

BOOST_AUTO_TEST_CASE(two_engines_cannot_have_one_database) {
  const Place place;
  const Opened first(place);
  io::Loop loop;
  BOOST_TEST(!Disk::open(loop, place.sessions(), true));
}

BOOST_AUTO_TEST_CASE(of_a_log_that_ends_in_the_middle_the_rest_is_there) {
  const Place place;
  {
    Opened first(place);
    for (int i = 0; i < 100; ++i) first.write({{std::to_string(i), std::string(100, 'x')}});
  }
  const fs::path log = file_with(place.sessions(), ".log");
  fs::resize_file(log, fs::file_size(log) - 30);
  Opened second(place);
  BOOST_TEST(!second.load().damage.empty());
  BOOST_TEST(second.records.size() == 99U);
}

BOOST_AUTO_TEST_CASE(damage_is_told_put_aside_and_nothing_wrong_is_given) {
  const Place place;
  {
    Opened first(place);
    for (int i = 0; i < 100; ++i) first.write({{std::to_string(i), std::string(100, 'x')}});
  }
  const fs::path log = file_with(place.sessions(), ".log");
  flip_byte(log, fs::file_size(log) / 2);
  Opened second(place);
  const Disk::Loaded loaded = second.load();
  BOOST_TEST(!loaded.damage.empty());
  BOOST_TEST(!second.records.empty());
  BOOST_TEST(second.records.size() < 100U);
  for (const auto& [key, value] : second.records) BOOST_TEST(value == std::string(100, 'x'));
  BOOST_TEST(fs::exists(place.sessions() + ".damaged"));
  // The new one is empty, and takes everything.
  std::vector<session::Saved> all;
  for (const auto& [key, value] : second.records) all.push_back({buffer(key), buffer(value)});
  BOOST_TEST(second.disk->write_now(all).empty());
  const std::size_t saved = second.records.size();
  second.disk.reset();
  Opened third(place);
  BOOST_TEST(third.load().damage.empty());
  BOOST_TEST(third.records.size() == saved);
}

BOOST_AUTO_TEST_CASE(without_its_list_of_files_it_begins_anew) {
  const Place place;
  {
    Opened first(place);
    first.write({{"a", "1"}});
  }
  std::ofstream(place.sessions() + "/CURRENT") << "nonsense";
  Opened second(place);
  BOOST_TEST(!second.load().damage.empty());
  BOOST_TEST(second.write({{"a", "2"}}).empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_and_forgotten_once_there_is_room) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  BOOST_REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  for (const rlim_t room_bytes : {rlim_t{100'000}, rlim_t{0}}) {
    const Place place;
    {
      Opened opened(place);
      BOOST_TEST(opened.write({{"a", "1"}}).empty());
      const rlimit small{room_bytes, before.rlim_max};
      BOOST_REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
      const std::string why = opened.write({{"b", std::string(1'000'000, 'x')}});
      const std::string again = opened.write({{"b", std::string(1'000'000, 'x')}});
      BOOST_REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
      BOOST_TEST(!why.empty());
      BOOST_TEST(!again.empty());
      BOOST_TEST(opened.write({{"b", std::string(1'000'000, 'x')}}).empty());
    }
    Opened second(place);
    BOOST_TEST(second.load().damage.empty());
    BOOST_TEST(second.records.size() == 2U);
  }
}

namespace {

const Records kSecrets = {{"id-8A2F", "a book"}, {"id-77C0", "a pen"}};

// Opens, reads, and writes anew what is not sealed with the last key.
Records resealed(const Place& place, const std::vector<std::uint8_t>& keys) {
  Opened opened(place, keys);
  const Disk::Loaded loaded = opened.load();
  BOOST_TEST(loaded.outdated == kSecrets.size());
  BOOST_TEST(opened.write(opened.records).empty());
  BOOST_TEST(opened.disk->drop_outdated().empty());
  return opened.records;
}

std::string why_not(const Place& place, const std::vector<std::uint8_t>& keys) {
  Opened opened(place, keys);
  const auto loaded = opened.disk->load([](Bytes, Bytes) {});
  return loaded ? std::string() : loaded.error().message();
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_sealed_comes_back_and_cannot_be_read) {
  const Place place;
  {
    Opened first(place, {1});
    BOOST_TEST(first.write(kSecrets).empty());
    BOOST_TEST(first.write({{"id-8A2F", "a pen"}}, "id-77C0").empty());
  }
  for (const char* text : {"id-8A2F", "a book", "a pen"})
    BOOST_TEST(!holds(place.sessions(), text));
  Opened second(place, {1});
  const Disk::Loaded loaded = second.load();
  BOOST_TEST(loaded.outdated == 0U);
  BOOST_TEST((second.records == Records{{"id-8A2F", "a pen"}}));
}

BOOST_AUTO_TEST_CASE(what_was_not_sealed_is_and_a_key_can_be_changed) {
  const Place place;
  {
    Opened plain(place);
    BOOST_TEST(plain.write(kSecrets).empty());
  }
  BOOST_TEST(holds(place.sessions(), "id-8A2F"));
  BOOST_TEST((resealed(place, {1}) == kSecrets));
  for (const char* text : {"id-8A2F", "a book"}) BOOST_TEST(!holds(place.sessions(), text));
  BOOST_TEST((resealed(place, {1, 2}) == kSecrets));
  Opened last(place, {2});
  BOOST_TEST(last.load().outdated == 0U);
  BOOST_TEST((last.records == kSecrets));
}

BOOST_AUTO_TEST_CASE(killed_while_it_seals_each_is_given_once_as_it_was_last) {
  const Place place;
  {
    Opened plain(place);
    BOOST_TEST(plain.write(kSecrets).empty());
  }
  {
    Opened killed(place, {1});
    killed.load();
    BOOST_TEST(killed.write({{"id-8A2F", "newer"}}).empty());
  }
  Opened again(place, {1});
  const Disk::Loaded loaded = again.load();
  BOOST_TEST(loaded.records == 2U);
  BOOST_TEST(loaded.outdated == 2U);
  BOOST_TEST((again.records == Records{{"id-8A2F", "newer"}, {"id-77C0", "a pen"}}));
}

BOOST_AUTO_TEST_CASE(without_its_key_nothing_is_read_and_nothing_is_lost) {
  const Place place;
  {
    Opened first(place, {1});
    BOOST_TEST(first.write(kSecrets).empty());
  }
  BOOST_TEST(why_not(place, {}).find("key-file") != std::string::npos);
  BOOST_TEST(why_not(place, {2}).find("key 1, which key-file does not have") != std::string::npos);
  {
    seal::Keyring other;
    other.keys.push_back({1, seal::Key(Buffer(32, 9))});
    other.primary_id = 1;
    io::Loop loop;
    const auto disk = Disk::open(loop, place.sessions(), true, seal::RecordSeal(other));
    BOOST_TEST_REQUIRE(static_cast<bool>(disk));
    const auto loaded = (*disk)->load([](Bytes, Bytes) {});
    BOOST_TEST_REQUIRE(!loaded);
    BOOST_TEST(loaded.error().message().find("is not the one") != std::string::npos);
  }
  Opened again(place, {1});
  again.load();
  BOOST_TEST((again.records == kSecrets));
}
