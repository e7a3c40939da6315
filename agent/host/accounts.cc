#include "host/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

namespace tribecast::host {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Line = std::vector<char>;

constexpr std::size_t kMaxLine = 65536;

File open(const char* path) { return {std::fopen(path, "re"), &std::fclose}; }

// The first entry that `wanted` accepts; lines that make no sense end the search, as in glibc.
template <class Wanted>
std::optional<Account> search_users(Wanted wanted) {
  const File file = open("/etc/passwd");
  Line line(kMaxLine);
  passwd entry{};
  passwd* found = nullptr;
  while (file && fgetpwent_r(file.get(), &entry, line.data(), line.size(), &found) == 0) {
    if (wanted(entry)) return Account{entry.pw_name, entry.pw_uid, entry.pw_gid};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Account> find_user(const std::string& name) {
  return search_users([&](const passwd& entry) { return name == entry.pw_name; });
}

std::optional<Account> find_user(uid_t uid) {
  return search_users([&](const passwd& entry) { return uid == entry.pw_uid; });
}

std::optional<gid_t> find_group(const std::string& name) {
  const File file = open("/etc/group");
  Line line(kMaxLine);
  group entry{};
  group* found = nullptr;
  while (file && fgetgrent_r(file.get(), &entry, line.data(), line.size(), &found) == 0) {
    if (name == entry.gr_name) return entry.gr_gid;
  }
  return std::nullopt;
}

}  // namespace tribecast::host
