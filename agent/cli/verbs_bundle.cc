#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/examination.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "control/archive.h"
#include "control/diagnosis.h"
#include "control/events.h"
#include "control/json.h"
#include "control/print.h"
#include "doctor/checks.h"
#include "survey/program.h"

namespace tribecast::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOfAFile = 256U << 10U;
constexpr std::size_t kMostOfTheJournal = 4U << 20U;

// What the kernel and the distribution say of themselves; no process but the agent is looked at.
constexpr std::array kKernelFiles = {
    "/etc/os-release",
    "/proc/version",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/net/route",
    "/proc/net/ipv6_route",
    "/proc/net/fib_trie",
    "/proc/net/if_inet6",
    "/proc/net/arp",
    "/proc/net/igmp",
    "/proc/net/igmp6",
    "/proc/net/udp",
    "/proc/net/udp6",
    "/proc/net/raw",
    "/proc/net/packet",
    "/proc/net/sockstat",
    "/proc/net/softnet_stat",
    "/proc/net/snmp",
    "/proc/net/netstat",
    "/proc/sys/net/core/rmem_default",
    "/proc/sys/net/core/rmem_max",
    "/proc/sys/net/core/wmem_max",
    "/proc/sys/net/core/netdev_max_backlog",
    "/proc/sys/net/ipv4/igmp_max_memberships",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/all/rp_filter",
    "/proc/sys/net/ipv4/conf/default/rp_filter",
};

class Collected {
 public:
  void add(const std::string& name, std::string_view text) {
    files_.push_back({"tribecast-bundle/" + name, control::redacted(text)});
  }
  void missing(const std::string& name, const std::string& why) {
    missing_ += name + ": " + why + "\n";
  }
  void read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return missing(path, std::strerror(errno));
    std::string text(kMostOfAFile, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    add("kernel" + path, text);
  }
  // A file that tells what could not be had comes with the others.
  std::vector<control::ArchiveFile> take() {
    add("missing.txt", missing_.empty() ? "nothing\n" : missing_);
    return std::move(files_);
  }

 private:
  std::vector<control::ArchiveFile> files_;
  std::string missing_;
};

std::string events_lines(const control::EventList& list) {
  std::string out;
  for (const control::Event& event : list.events) {
    out += control::event_json(event, list.instance, timestamp());
  }
  return out;
}

void collect_agent(const Client& client, Collected& out) {
  if (const auto status = client.status(); status) {
    out.add("status.json", control::status_json(*status, timestamp()));
    out.add("status.txt",
            control::status_text(*status, {}) + "\n" + control::peers_text(*status, {}) + "\n" +
                control::members_text(*status, {}) + "\n" + control::groups_text(*status, {}));
  } else {
    out.missing("status", status.error().error);
  }
  if (const auto events = client.events(); events) {
    out.add("events.jsonl", events_lines(*events));
  } else {
    out.missing("events", events.error().error);
  }
}

// What runs, and what would run after a reload. The files name the keyring; nothing reads it.
void collect_configuration(const Client& client, const std::string& named, Collected& out) {
  std::string file = named;
  if (const auto running = client.config(); running) {
    out.add("running.conf", running->text);
    if (file.empty()) file = running->file;
  } else {
    out.missing("running.conf", running.error().error);
  }
  const config::Files files = config::read_files(file.empty() ? kDefaultFile : file);
  for (const config::Source& source : files.sources) {
    out.add("files" + fs::absolute(source.file).string(), source.text);
  }
  if (!files.unreadable.empty()) {
    out.missing("configuration", config::to_text(files.unreadable));
  }
}

void collect_host(Collected& out) {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) {
    out.add("hostname.txt", std::string(name.data()) + "\n");
  }
  out.add("version.txt", "tribecast " TRIBECAST_VERSION "\n");
  for (const char* path : kKernelFiles) out.read(path);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc/sys/net/ipv4/conf", none)) {
    const std::string interface = entry.path().filename().string();
    if (interface == "all" || interface == "default") continue;
    out.read((entry.path() / "rp_filter").string());
  }
}

void collect_diagnosis(const Invocation& in, Collected& out) {
  doctor::Facts facts = begin_examination(in);
  finish_examination(facts);
  const control::Diagnosis diagnosis = doctor::diagnose(facts);
  out.add("doctor.txt", control::diagnosis_text(diagnosis, {}));
  out.add("doctor.json", control::diagnosis_json(diagnosis, timestamp()));
}

// The last lines of our own units, and of no other. Who may not read the journal gets none.
void collect_journal(Collected& out) {
  const auto journalctl = survey::find_program("journalctl");
  if (!journalctl) return out.missing("journal.txt", "there is no journalctl here");
  const auto lines = survey::run_program(
      {*journalctl, "--quiet", "--no-pager", "--output=short-iso", "--lines=1000",
       "--unit=tribecast.service", "--unit=tribecast-engine.service",
       "--unit=tribecast-wait-online.service"},
      kMostOfTheJournal);
  if (!lines) return out.missing("journal.txt", lines.error());
  if (lines->empty()) return out.missing("journal.txt", "no line of our units, for this user");
  out.add("journal.txt", *lines);
}

}  // namespace

Exit run_bundle(const Invocation& in) {
  const auto now = std::chrono::system_clock::now();
  const auto seconds_since_1970 =
      std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
  std::string file = in.arguments.empty() ? "" : in.arguments.front();
  if (file.empty()) {
    std::string when = control::rfc3339(now).substr(0, 19);
    std::erase_if(when, [](char c) { return c == '-' || c == ':'; });
    file = "tribecast-bundle-" + when + ".tar";
  }
  Collected collected;
  const Client client = client_of(in);
  collect_agent(client, collected);
  collect_configuration(client, in.text("config", ""), collected);
  collect_host(collected);
  collect_diagnosis(in, collected);
  collect_journal(collected);
  const auto files = collected.take();
  const std::string bytes = control::archive(files, static_cast<std::uint64_t>(seconds_since_1970));
  if (file == "-") {
    if (isatty(STDOUT_FILENO) == 1) return complain_usage({"'-': this is a terminal", ""});
    print(bytes);
    return Exit::good;
  }
  if (const auto written = create_file(file, bytes, {0600, {}}); !written) {
    return complain(written.error());
  }
  print(in.has("json") ? control::bundle_json({file, files.size()}, timestamp())
                       : file + ": " + control::counted(files.size(), "file") +
                             ", no key among them; look into it before you send it\n");
  return Exit::good;
}

}  // namespace tribecast::cli
