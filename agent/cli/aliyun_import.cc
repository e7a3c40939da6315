#include "cli/aliyun_import.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/utf8.h"
#include "config/config.h"
#include "config/values.h"

namespace tribecast::cli {
namespace {

using control::aliyun::Kind;

constexpr std::uint64_t kPlaceholder = 7127;  // what `multis_admin -A` writes as group_port
constexpr std::string_view kVrrp = "224.0.0.18";
constexpr std::size_t kMaxShown = 64;
constexpr std::size_t kMaxWarning = 300;

std::string shown(const std::string& text) { return "'" + text.substr(0, kMaxShown) + "'"; }

std::string port_text(std::uint16_t port) { return port == 0 ? "*" : std::to_string(port); }

class Importer {
 public:
  void add(const ImportFile& in) {
    from_ = in.name;
    for (const std::string& odd : in.file.odd) warn(from_ + ": " + odd);
    for (const auto& group : in.file.groups) add_group(in.file.kind, group);
    for (const auto& server : in.file.servers) {
      add_server_port(server.server_port);
      if (!good_group(server.group)) continue;
      add_port(server.group, server.port);
      if (good_peer(server.address)) peers_[server.address][server.group].heard = true;
    }
    whole_ = whole_ || in.file.kind == Kind::iplist;
    sends_ = sends_ || !in.file.groups.empty();
    hears_ = hears_ || !in.file.servers.empty() || in.file.kind == Kind::iplist;
  }

  Import finish() {
    choose_ports();
    warn_about_directions();
    if (!whole_ && !peers_.empty()) {
      warn(
          "the files leave out the host that they come from: add it as a [peer], then one file "
          "works on all nodes");
    }
    std::string text = "# Made by `tribecast import aliyun`.\n";
    for (const std::string& warning : warnings_) text += "# warning: " + warning + "\n";
    text +=
        "\n# Made once with `tribecast keygen`, the same on every node, mode 0600.\n"
        "[security]\nkeyring = /etc/tribecast/cluster.keys\n";
    for (const auto& [address, names] : names_) {
      for (const auto& [port, name] : names) {
        text.append("\n[group \"").append(name).append("\"]\naddress = ").append(address);
        text.append(":").append(port_text(port)).append("\n");
      }
    }
    for (const auto& [address, groups] : peers_) text += peer_text(address, groups);
    return {std::move(text), std::move(warnings_)};
  }

 private:
  struct Ways {
    bool sent = false;
    bool heard = false;
  };
  using Groups = std::map<std::string, Ways>;  // by address

  // Safe for a terminal and for a comment, whatever stands in the files.
  void warn(const std::string& what) {
    const std::string safe = printable(what.substr(0, kMaxWarning));
    if (said_.insert(safe).second) warnings_.push_back(safe);
  }

  void add_group(Kind kind, const control::aliyun::Group& group) {
    add_server_port(group.server_port);
    if (!good_group(group.address)) return;
    const bool placeholder = group.port == kPlaceholder && kind == Kind::server;
    add_port(group.address, placeholder ? std::nullopt : group.port);
    for (const std::string& member : group.members) {
      if (!good_peer(member)) continue;
      Ways& ways = peers_[member][group.address];
      ways.sent = true;
      if (kind == Kind::iplist) ways.heard = true;
    }
  }

  void add_server_port(const std::optional<std::uint64_t>& port) {
    if (!port) return;
    warn("server_port " + std::to_string(*port) +
         " is not taken over: the agents talk on UDP 45565, which must be open instead");
  }

  bool good_group(const std::string& address) {
    const auto good = config::to_group_address(address + ":*");
    if (!good || good->address.to_string() != address) {
      warn(from_ + ": the group " + shown(address) + " is not taken over: " +
           (good ? "no plain address" : good.error() + "; broadcast is not relayed"));
      return false;
    }
    if (address == kVrrp) warn(address + " is VRRP's, which is no UDP: it is not relayed");
    return true;
  }

  bool good_peer(const std::string& address) {
    const auto parsed = Address::parse(address);
    const auto good = config::to_peer_address(address);
    if (parsed && good && good->host == address) return true;
    warn(from_ + ": the address " + shown(address) +
         " is not taken over: " + (good ? "no plain address" : good.error()));
    return false;
  }

  void add_port(const std::string& group, const std::optional<std::uint64_t>& port) {
    auto& ports = ports_[group];
    if (port) ports.insert(static_cast<std::uint16_t>(*port));
  }

  // Any port takes in all others.
  void choose_ports() {
    for (auto& [address, ports] : ports_) {
      if (ports.empty()) {
        std::string what = "no file names the port of " + address;
        what.append(": every port is relayed; for a Tomcat write ").append(address);
        warn(what.append(":45564"));
        ports.insert(0);
      }
      if (ports.contains(0)) ports = {0};
      for (const std::uint16_t port : ports) {
        std::string& name = names_[address][port];
        name = address;
        if (ports.size() > 1) name.append("-").append(std::to_string(port));
      }
    }
  }

  // The vendor's tool sends and receives by two files.
  void warn_about_directions() {
    if (!sends_ || !hears_) return;
    for (const auto& [address, groups] : peers_) {
      for (const auto& [group, ways] : groups) {
        if (ways.sent == ways.heard) continue;
        std::string what = address;
        what.append(ways.sent ? " only received " : " only sent ").append(group);
        warn(what.append(": here a group goes both ways"));
      }
    }
  }

  std::string peer_text(const std::string& address, const Groups& groups) const {
    std::string text = "\n[peer \"" + address + "\"]\naddress = " +
                       (address.find(':') == address.npos ? address : "[" + address + "]") + "\n";
    if (groups.size() == names_.size()) return text;
    std::string list;
    for (const auto& [group, ways] : groups) {
      for (const auto& [port, name] : names_.at(group)) list += (list.empty() ? "" : ", ") + name;
    }
    return text + "groups = " + list + "\n";
  }

  std::string from_;
  std::map<std::string, std::set<std::uint16_t>> ports_;               // by group; 0 = any
  std::map<std::string, std::map<std::uint16_t, std::string>> names_;  // of our groups
  std::map<std::string, Groups> peers_;                                // by address
  std::vector<std::string> warnings_;
  std::set<std::string> said_;
  bool whole_ = false;  // an iplist names every host
  bool sends_ = false;
  bool hears_ = false;
};

}  // namespace

Import import_aliyun(const std::vector<ImportFile>& files) {
  Importer importer;
  for (const ImportFile& file : files) importer.add(file);
  return importer.finish();
}

}  // namespace tribecast::cli
