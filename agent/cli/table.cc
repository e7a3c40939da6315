// The table of commands and options.
#include <array>

#include "cli/command.h"
#include "cli/verbs.h"

namespace tribecast::cli {
namespace {

constexpr std::array kOptions = {
    Option{"socket", "PATH", "the agent's control socket, or the engine's for `engine ...`", true},
    Option{"json", "", "print JSON, for programs", true},
    Option{"color", "WHEN", "auto, always or never (auto: on a terminal, without NO_COLOR)", true},
    Option{"help", "", "what a command does", true},
    Option{"count", "N", "how many (ping: 3, watch: without end, events: all)", false},
    Option{"interval", "TIME", "time between two probes (1s)", false},
    Option{"peers", "N|all|LIST", "wait: how many must be up; config init: the nodes, with commas",
           false},
    Option{"members", "N", "how many members must be seen, local and remote", false},
    Option{"confirm", "TIME", "go back after this time, unless confirmed", false},
    Option{"config", "FILE", "the main configuration file (the one that the agent reads)", false},
    Option{"output", "FILE", "write to a new file instead", false},
    Option{"follow", "", "go on with what happens, until interrupted", false},
    Option{"keyring", "FILE", "the keyring file (the one that the agent reads)", false},
    Option{"id", "ID", "of the new key, which is then not primary", false},
    Option{"private-key", "", "make a node's private key, for auth = public-key", false},
    Option{"public-key", "", "the public key of the private key in standard input", false},
    Option{"key", "KEY", "the peer's public key, for auth = public-key", false},
    Option{"force", "", "although peers would be cut off", false},
    Option{"peer", "NAME", "leave out the other peers", false},
    Option{"all", "", "ask every peer's agent as well, and show who sees whom", false},
    Option{"explain", "ID", "what a check is about, instead: TC041", false},
    Option{"timeout", "TIME", "how long to wait at most (30s)", false},
    Option{"top", "", "a full screen instead, painted anew each second", false},
    Option{"write", "FILE", "a new pcapng file instead of lines; - is standard output", false},
    Option{"web", "", "serve a page for a browser on this host", false},
    Option{"listen", "ADDRESS", "of loopback, with a port (127.0.0.1:8045)", false},
    Option{"rate", "N", "probes a second, at most 10000 (1000)", false},
    Option{"time", "TIME", "for so long, at most 5m (10s)", false},
    Option{"textfile", "FILE", "write to this file, whole or not at all", false},
    Option{"per-member", "", "a series for each member, too", false},
    Option{"warning", "N|N%", "so many peers that are not up (1)", false},
    Option{"critical", "N|N%", "so many peers that are not reachable (100%)", false},
    Option{"format", "FORMAT", "nft, iptables or firewalld (nft)", false},
    Option{"context", "NAME", "of this context alone, as `engine status` lists it", false},
    Option{"limit", "N", "how many at most (50)", false},
    Option{"group", "ADDRESS", "the multicast group (228.0.0.4:45564)", false},
};

constexpr const char* kStatusDetails =
    "The first line answers: the verdict, how many peers are up, how many members are seen.\n"
    "Exit code: 0 good or idle, 1 degraded, 2 critical, 3 agent not reachable.\n"
    "With --web a page on loopback for a browser, until interrupted: its address is printed, and\n"
    "known to nobody else. While somebody looks at it, all agents are asked every 10 s who hears\n"
    "whom. The agent itself listens on no TCP port.\n";
constexpr const char* kPingDetails =
    "One probe after the other, sealed, to the peer's agent. Exit code 2 when none is answered.\n";
constexpr const char* kBenchDetails =
    "Sealed probes at an even rate to the peer's agent, which answers each. No application sees\n"
    "them, and heartbeats go on meanwhile: what is lost and late here is lost and late for them.\n"
    "For root and the agent's user. Exit code 2 when nothing is answered.\n";
constexpr const char* kWatchDetails =
    "With --top the screen holds status, peers, members and the last events; `q` ends it.\n"
    "Colours as --color and NO_COLOR say.\n";
constexpr const char* kWaitDetails =
    "Waits also for an agent that is still starting. Run it before Tomcat starts: a Tomcat that\n"
    "sees no member at its start never asks for the sessions. Exit code 2 when time is up.\n";
constexpr const char* kEventsDetails =
    "The last 256 that the agent keeps since its start, the oldest first: peers up and silent,\n"
    "members joined, left and lost, reloads. Ids are those of its log. With --json one object a "
    "line.\n";
constexpr const char* kMetricsDetails =
    "Prometheus text format. With --textfile for node_exporter's collector, from a timer:\n"
    "    tribecast metrics --textfile /var/lib/prometheus/node-exporter/tribecast.prom\n"
    "Without an agent `tribecast_up 0` takes the place of what was there, and the exit code is 3.\n"
    "Alert rules are installed beside the documentation: see docs/monitoring.md.\n";
constexpr const char* kNagiosDetails =
    "One line and performance data, for Nagios, Icinga, Zabbix. Exit code: 0 OK, 1 WARNING,\n"
    "2 CRITICAL, 3 UNKNOWN (no agent, no permission, a limit that is none). Without limits the\n"
    "answer is that of `status`. Warnings of the agent are always WARNING at least.\n";
constexpr const char* kInitDetails =
    "Asks on a terminal for what the options do not tell, and writes a commented file that\n"
    "`config check` accepts. Makes the keyring when there is none. Never touches a file that is "
    "there;\n"
    "where the agent's own is there and has no peers yet, as a package ships it, they are written\n"
    "into peers.d beside it.\n"
    "    tribecast config init --peers 10.0.1.11,web-2=10.0.1.12 --output tribecast.conf\n";
constexpr const char* kBundleDetails =
    "A tar file, for you to look into and to send: status, events, configuration (as it runs, and\n"
    "the files), versions, what the kernel says of routes, memberships, sockets and limits, the\n"
    "doctor's report, and our units' last lines in the journal. What looks like a key or stands\n"
    "behind a word like `token` is taken out. Needs no agent.\n";
constexpr const char* kCaptureDetails =
    "What local members send and what peers send, one line each, decoded, with what was done:\n"
    "relayed, injected, or dropped and why. For root and the agent's user; the tool needs no "
    "other\n"
    "rights. What comes faster than it is read is left out, and counted. The file is for tcpdump\n"
    "and Wireshark.\n";
constexpr const char* kFirewallDetails =
    "The agent's UDP port for the peers alone, the Tribes TCP ports of this host's members for "
    "the\n"
    "members alone; others are dropped, everything else is as it was. Who can connect to a Tribes\n"
    "port can send it serialized objects. Nothing is changed by this command:\n"
    "    tribecast firewall print | nft -f -\n"
    "    tribecast firewall print --format iptables | sh\n"
    "Run it again when a peer or member comes or moves.\n";
constexpr const char* kDoctorDetails =
    "Looks at this host, its Tomcats, the agent and the peers, for about two seconds; changes "
    "nothing.\n"
    "Each finding is ok, WARN or FAIL, with what it means and how to mend it; `?` was not checked, "
    "for\n"
    "want of the right that is named: as root it sees most. Needs no agent.\n"
    "With --all the agents of all peers are asked, within three seconds: a table of hosts and "
    "checks,\n"
    "who hears whom, which member is missing where, and whose TCP port is reached from where.\n"
    "Exit code: 0 nothing wrong, 1 a warning, 2 a failure. docs/troubleshooting.md has all "
    "checks.\n";
constexpr const char* kCheckDetails =
    "Reads the file as the agent would, with peers.d/ and conf.d/ beside it, and the keyring that\n"
    "it names. Needs no agent. Exit code 65 when there is an error.\n";
constexpr const char* kDiffDetails =
    "What a reload would change: the files (FILE, or those that the agent reads) against what "
    "runs.\n"
    "Keys are not compared. Exit code: 0 no difference, 1 differences, 65 the files have errors.\n";
constexpr const char* kReloadDetails =
    "What did not change is not touched. When there is an error nothing is changed: exit code 65.\n"
    "With --confirm 60s the agent goes back to what ran before, keyring included, unless\n"
    "`config confirm` comes in time. Until then a reload without --confirm is refused, SIGHUP "
    "too;\n"
    "one with --confirm starts the time again, and goes back to what was confirmed last.\n";
constexpr const char* kUndoDetails =
    "Goes back to what ran before the last reload that changed something. The files stay as they\n"
    "are: status warns until the next reload; a restart reads them too.\n";
constexpr const char* kAddDetails =
    "Writes peers.d/NAME.conf beside the main configuration file, as you, then reloads; when that\n"
    "fails the file goes again. Without a running agent it is read at the next start. Addresses "
    "as\n"
    "in the configuration: 10.0.0.1, 10.0.0.1:45565, [2001:db8::1]:45565, web-2.internal.\n";
constexpr const char* kRemoveDetails =
    "Removes the file that `peer add` wrote, then reloads. A peer that stands in another file is\n"
    "yours to remove: the file and line are told.\n";
constexpr const char* kJoinDetails =
    "Writes conf.d/group-NAME.conf beside the main configuration file, as you, then reloads; when\n"
    "that fails the file goes again. ADDRESS is 228.0.0.4:45564, or 239.1.1.1:* for any port.\n";
constexpr const char* kLeaveDetails =
    "Removes the file that `group join` wrote, then reloads. A group that stands in another file "
    "is\n"
    "yours to remove: the file and line are told.\n";
constexpr const char* kAliyunDetails =
    "Reads server_cfg.json, client_cfg.json and iplist of Aliyun's multicast proxy, all together,\n"
    "and prints a configuration. What has no counterpart is a comment in it and a warning.\n"
    "Needs no agent. Exit code 65 when a file cannot be read.\n";
constexpr const char* kKeygenDetails =
    "Prints one line: put it into a file of mode 0600, the same on every node, and name the file\n"
    "in the configuration: [security] keyring = FILE. With --id the line is for `key add -`.\n"
    "For auth = public-key, as with WireGuard's tool, on each node:\n"
    "    (umask 077; tribecast keygen --private-key > /etc/tribecast/private.key)\n"
    "    tribecast keygen --public-key < /etc/tribecast/private.key\n"
    "Where standard input is neither a file nor a pipe, --public-key, like both options together,\n"
    "makes a new pair and prints two lines: `private-key KEY` and `public-key KEY`.\n";
constexpr const char* kKeyListDetails =
    "Id, fingerprint (never the key) and which peers use each: both ways, or `sent` (only we "
    "speak\n"
    "in a session made with it), `heard` (only the peer does), `primary there`. Below: peers that\n"
    "do not hold a key, or hold another one under its id.\n";
constexpr const char* kKeyAddDetails =
    "Adds a key that is not primary, then reloads. With `-` the key is the line that is read from\n"
    "standard input, else a new one. The same key must come to all nodes before `key use`:\n"
    "    umask 077; tribecast keygen --id 2 > new.key\n"
    "    ssh NODE tribecast key add - < new.key       (for each node)\n";
constexpr const char* kKeyUseDetails =
    "New handshakes begin with this key, and the sessions that there are are renewed with it "
    "within\n"
    "seconds; nothing is lost. Refused (exit code 2) while a peer does not hold the key.\n";
constexpr const char* kKeyRemoveDetails =
    "Refused (exit code 2) for the primary key, and while a peer uses the key; the peers are "
    "named.\n"
    "With --force the sessions made with it end at once, and heartbeats are lost meanwhile.\n";

constexpr const char* kEngineStatusDetails =
    "The first line answers: the verdict, whether starting Tomcats may ask it, members, sessions.\n"
    "Exit code: 0 good or idle, 1 degraded, 2 critical, 3 engine not reachable. The same in\n"
    "`engine members`, whose AGREES says whether another engine had the same when last compared.\n";
constexpr const char* kEngineSessionsDetails =
    "Those that were used last come first. Of an id the first letters are shown: whoever has a "
    "whole\n"
    "one is logged in. VERSION is the same in engines that hold the same.\n";
constexpr const char* kEngineSessionDetails =
    "ID is a session's id, or letters that only one begins with. Names, classes and sizes; values\n"
    "never leave the engine. Other users of this host see what you type: the first letters do.\n";
constexpr const char* kEngineVerifyDetails =
    "Asks every other engine for ids and versions, and every Tomcat for its sessions, one after "
    "the\n"
    "other; changes nothing. A Tomcat is not asked for a context with as many sessions as\n"
    "fetch-limit: it may not have the heap for the answer. What changed in the last 3 s is "
    "counted\n"
    "apart. Exit code: 0 all have the same, 1 some differ or could not be compared.\n";
constexpr const char* kEngineMetricsDetails =
    "As `metrics`, for the engine: `tribecast_engine_up 0` when it does not answer.\n"
    "    tribecast engine metrics --textfile "
    "/var/lib/prometheus/node-exporter/tribecast-engine.prom\n";

constexpr std::array kCommands = {
    Command{"status", "", 0, 0, "web listen", "how the relay is doing", kStatusDetails, run_status},
    Command{"peers", "", 0, 0, "", "the other agents, one a line",
            "State, round trip, loss, clock offset; with advice for each one that is not up.\n",
            run_peers},
    Command{"members", "", 0, 0, "", "the cluster members that are seen",
            "Each Tomcat by its address, with the age of its last heartbeat, interval and gaps.\n",
            run_members},
    Command{"groups", "", 0, 0, "", "the multicast groups and their counters", "", run_groups},
    Command{"ping", "PEER", 1, 1, "count interval", "probe the agent of a peer", kPingDetails,
            run_ping},
    Command{"bench", "PEER", 1, 1, "rate time", "load the way to a peer, and measure it",
            kBenchDetails, run_bench},
    Command{"watch", "", 0, 0, "count top", "one line a second", kWatchDetails, run_watch},
    Command{"events", "", 0, 0, "count follow", "what happened lately, one line each",
            kEventsDetails, run_events},
    Command{"capture", "", 0, 0, "count write", "datagrams as the agent sees them", kCaptureDetails,
            run_capture},
    Command{"doctor", "", 0, 0, "all peer explain config", "what is wrong, and how to mend it",
            kDoctorDetails, run_doctor},
    Command{"wait", "", 0, 0, "peers members timeout", "wait until peers and members are there",
            kWaitDetails, run_wait},
    Command{"metrics", "", 0, 0, "textfile per-member", "counters and states for Prometheus",
            kMetricsDetails, run_metrics},
    Command{"check", "", 0, 0, "warning critical", "a plugin for Nagios and its like",
            kNagiosDetails, run_check},
    Command{"bundle", "[FILE|-]", 0, 1, "config", "an archive for support, without keys",
            kBundleDetails, run_bundle},
    Command{"firewall print", "", 0, 0, "format", "rules that keep strangers out", kFirewallDetails,
            run_firewall_print},
    Command{"config check", "[FILE]", 0, 1, "", "find the mistakes in a configuration",
            kCheckDetails, run_config_check},
    Command{"config show", "", 0, 0, "", "the agent's configuration, defaults included",
            "Never shows a key.\n", run_config_show},
    Command{"config diff", "[FILE]", 0, 1, "", "what a reload would change", kDiffDetails,
            run_config_diff},
    Command{"config reload", "", 0, 0, "confirm", "let the agent read its configuration again",
            kReloadDetails, run_config_reload},
    Command{"config confirm", "", 0, 0, "", "keep what `config reload --confirm` applied", "",
            run_config_confirm},
    Command{"config undo", "", 0, 0, "", "go back to the configuration before", kUndoDetails,
            run_config_undo},
    Command{"config init", "", 0, 0, "peers group keyring output", "write a first configuration",
            kInitDetails, run_config_init},
    Command{"peer add", "NAME ADDRESS...", 2, 17, "config key", "add a peer, for good", kAddDetails,
            run_peer_add},
    Command{"peer remove", "NAME", 1, 1, "config", "remove a peer that was added", kRemoveDetails,
            run_peer_remove},
    Command{"group join", "NAME ADDRESS", 2, 2, "config", "relay a group, for good", kJoinDetails,
            run_group_join},
    Command{"group leave", "NAME", 1, 1, "config", "end what `group join` began", kLeaveDetails,
            run_group_leave},
    Command{"import aliyun", "FILE...", 1, 64, "output", "a configuration from Aliyun's proxy",
            kAliyunDetails, run_import_aliyun},
    Command{"key list", "", 0, 0, "keyring", "the keys of the ring, and who uses them",
            kKeyListDetails, run_key_list},
    Command{"key add", "[ID|-]", 0, 1, "keyring", "add a key to the ring", kKeyAddDetails,
            run_key_add},
    Command{"key use", "ID", 1, 1, "keyring force", "make a key the primary one", kKeyUseDetails,
            run_key_use},
    Command{"key remove", "ID", 1, 1, "keyring force", "remove a key from the ring",
            kKeyRemoveDetails, run_key_remove},
    Command{"engine status", "", 0, 0, "", "how the replication engine is doing",
            kEngineStatusDetails, run_engine_status},
    Command{"engine sessions", "", 0, 0, "context limit", "its sessions, without their contents",
            kEngineSessionsDetails, run_engine_sessions},
    Command{"engine session", "ID", 1, 1, "context", "what one session has, without values",
            kEngineSessionDetails, run_engine_session},
    Command{"engine members", "", 0, 0, "", "the members that it sees",
            "Tomcats and other engines: messages to each, and when it asked for sessions.\n",
            run_engine_members},
    Command{"engine verify", "", 0, 0, "", "who has what: compare with every member",
            kEngineVerifyDetails, run_engine_verify},
    Command{"engine metrics", "", 0, 0, "textfile", "its counters and states for Prometheus",
            kEngineMetricsDetails, run_engine_metrics},
    Command{"keygen", "", 0, 0, "id private-key public-key", "make a new cluster key, or a node's",
            kKeygenDetails, run_keygen},
    Command{"version", "", 0, 0, "", "the version of this tool", "", run_version},
    Command{"help", "[COMMAND]", 0, 2, "", "what a command does", "", run_help},
};

constexpr std::array kExitMeanings = {
    ExitMeaning{Exit::good, "good"},
    ExitMeaning{Exit::degraded, "degraded"},
    ExitMeaning{Exit::critical, "critical or failed"},
    ExitMeaning{Exit::unreachable, "agent or engine not reachable"},
    ExitMeaning{Exit::usage, "usage"},
    ExitMeaning{Exit::bad_config, "bad configuration"},
    ExitMeaning{Exit::no_permission, "no permission"},
};

}  // namespace

std::span<const Option> options() { return kOptions; }
std::span<const Command> commands() { return kCommands; }
std::span<const ExitMeaning> exit_meanings() { return kExitMeanings; }

}  // namespace tribecast::cli
