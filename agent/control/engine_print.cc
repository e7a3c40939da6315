#include "control/engine_print.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace tribecast::control {
namespace {

constexpr std::size_t kMostReasons = 5;
constexpr std::size_t kMostAlarms = 5;
constexpr std::size_t kMostContexts = 8;
constexpr std::size_t kLabel = 12;

Tone tone_of(Level level) {
  if (level == Level::critical) return Tone::bad;
  return level == Level::degraded ? Tone::warn : Tone::good;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string shortened(std::string text, std::size_t most) {
  text = printable(text);
  if (count_characters(text) <= most) return text;
  std::size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

std::string labelled(std::string_view label, const std::string& text) {
  return std::string(label) + std::string(kLabel - label.size(), ' ') +
         shortened(text, kColumns - kLabel) + "\n";
}

// `1.2 GB`, of 1000s.
std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 4> kUnits = {" B", " KB", " MB", " GB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return (unit == 0 ? std::to_string(bytes) : rate_text(value)) + std::string(kUnits.at(unit));
}

std::uint64_t up(const EngineStatus& status, std::string_view kind) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      status.members,
      [&](const EngineMember& m) { return m.kind == kind && m.state != "unreached"; }));
}

std::string reasons_text(const Verdict& verdict, const Style& style) {
  std::string out;
  for (std::size_t i = 0; i < std::min(verdict.reasons.size(), kMostReasons); ++i) {
    out += "  " + toned("-", Tone::warn, style) + " " +
           shortened(verdict.reasons[i].text, kColumns - 4) + "\n";
  }
  return out;
}

std::string memory_text(const EngineStatus& status) {
  const double ratio = static_cast<double>(status.memory_bytes) /
                       static_cast<double>(std::max<std::uint64_t>(status.memory_limit_bytes, 1));
  return bytes_text(status.memory_bytes) + " of " + bytes_text(status.memory_limit_bytes) + " (" +
         percent_text(ratio) + ")";
}

std::string disk_text(const EngineStatus& status) {
  if (status.disk == "none") return "none: a stop of the engine forgets the sessions";
  if (status.disk == "failed") return "cannot be written: sessions are in memory alone";
  return status.ack == "disk" ? "written before it is acknowledged" : "written";
}

std::string copies_text(const EngineStatus& status) {
  return status.copies == "ok" ? "in another engine before it is acknowledged"
                               : "taken by no other engine: who waits is refused";
}

std::string shown_id(const SessionRow& row) {
  return row.id + "..." + (row.route.empty() ? "" : "." + row.route);
}

std::string expires_text(const SessionRow& row) {
  return row.expires_seconds ? age_text(row.expires_seconds) : "never";
}

std::string agrees_text(const EngineMember& member) {
  if (member.kind != "engine") return "-";
  if (!member.agrees) return "not yet";
  return *member.agrees ? "yes" : "no";
}

Tone tone_of(const EngineMember& member) {
  if (member.state == "up") return Tone::good;
  return member.state == "suspect" ? Tone::warn : Tone::faint;
}

// `2 lacking, 1 older`.
std::string differences_text(const VerifyContext& one) {
  struct Row {
    std::uint64_t count;
    std::string_view word;
  };
  std::string out;
  for (const Row& row : {Row{one.lacks, "lacking"}, Row{one.older, "older"},
                         Row{one.newer, "newer"}, Row{one.differs, "different"},
                         Row{one.only_there, "only there"}, Row{one.moving, "just changing"}}) {
    if (row.count == 0) continue;
    out += (out.empty() ? "" : ", ") + count_text(row.count) + " " + std::string(row.word);
  }
  return out;
}

// Of each context that differs, a line, and then its examples.
std::string differences_text(const VerifyMember& member) {
  std::string out;
  for (const VerifyContext& context : member.contexts) {
    const std::string differences = differences_text(context);
    if (differences.empty()) continue;
    out += shortened(member.name + " " + context.context + ": " + differences, kColumns) + "\n";
    for (const VerifyExample& example : context.examples) {
      std::string names;
      for (const std::string& name : example.names) names += " " + name;
      out += "  " + shortened(example.id + "... " + example.what + names, kColumns - 2) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string engine_status_text(const EngineStatus& status, const Style& style) {
  const Level level = status.verdict.level;
  std::string out = toned(upper(name_of(level)), tone_of(level), style) + "  " +
                    (status.in_sync ? "in sync" : "not in sync") + "   " +
                    counted(up(status, "tomcat"), "Tomcat") + ", " +
                    counted(up(status, "engine"), "other engine") + "   " +
                    counted(status.sessions, "session");
  if (status.map_entries > 0) out += ", " + count_text(status.map_entries) + " in maps";
  out += "\n";
  out += reasons_text(status.verdict, style) + "\n";
  out += labelled("member", status.node.member + (status.node.name.empty() ? "" : "   ") +
                                status.node.name + "   version " + status.node.version +
                                ", up for " + age_text(status.node.uptime_seconds));
  out +=
      labelled("age", age_text(status.age_seconds) + " since its first start; members are told " +
                          age_text(status.age_told_seconds));
  out += labelled("memory", memory_text(status));
  out += labelled("disk", disk_text(status));
  if (status.ack == "peer") out += labelled("copies", copies_text(status));
  out += labelled("messages", rate_text(status.messages_per_second) + "/s");
  for (std::size_t i = 0; i < std::min(status.contexts.size(), kMostContexts); ++i) {
    const EngineContext& one = status.contexts[i];
    out +=
        labelled(i == 0 ? "contexts" : "", one.context + "  " + counted(one.sessions, "session"));
  }
  if (status.contexts.size() > kMostContexts) {
    out += labelled("", "and " + count_text(status.contexts.size() - kMostContexts) + " more");
  }
  for (std::size_t i = 0; i < std::min(status.alarms.size(), kMostAlarms); ++i) {
    const EngineAlarm& one = status.alarms[i];
    out += labelled(i == 0 ? "alarms" : "",
                    age_text(one.seconds_ago) + " ago  " + one.id + ": " + one.text);
  }
  return out;
}

std::string engine_members_text(const EngineStatus& status, const Style& style) {
  if (status.members.empty()) return "no member is seen\n";
  Table table({{"MEMBER", false, 24},
               {"WHO"},
               {"STATE"},
               {"AGE", true},
               {"SENT", true},
               {"FAILED", true},
               {"PENDING", true},
               {"ASKED", true},
               {"AGREES"}});
  for (const EngineMember& member : status.members) {
    table.add({member.name, member.kind, Cell(member.state, tone_of(member)),
               age_text(member.alive_seconds), count_text(member.sent),
               Cell(count_text(member.failed), member.failed > 0 ? Tone::warn : Tone::plain),
               count_text(member.pending), age_text(member.last_asked_seconds),
               agrees_text(member)});
  }
  return table.text(style);
}

std::string session_list_text(const SessionList& list, const Style& style) {
  if (list.sessions.empty()) return "no session\n";
  Table table({{"SESSION", false, 24},
               {"CONTEXT", false, 24},
               {"SIZE", true},
               {"ATTRS", true},
               {"USED", true},
               {"EXPIRES", true},
               {"VERSION"}});
  for (const SessionRow& row : list.sessions) {
    table.add({shown_id(row), row.context, bytes_text(row.bytes), count_text(row.attributes),
               age_text(row.last_access_seconds), expires_text(row), row.version.substr(0, 8)});
  }
  std::string out = table.text(style);
  if (list.total > list.sessions.size()) {
    out += "the last " + count_text(list.sessions.size()) + " of " + count_text(list.total) +
           "; more with --limit\n";
  }
  return out;
}

std::string session_detail_text(const SessionDetail& session, const Style& style) {
  const SessionRow& row = session.session;
  std::string out = labelled("session", shown_id(row) + " of " + row.context);
  out += labelled("size", bytes_text(row.bytes) + ", " + counted(row.attributes, "attribute"));
  out +=
      labelled("used", age_text(row.last_access_seconds) + " ago, expires in " + expires_text(row));
  out += labelled("version", row.version) + "\n";
  Table table(
      {{"WHAT"}, {"NAME", false, 28}, {"CLASS", false, 36}, {"SIZE", true}, {"CHANGED", true}});
  for (const SessionPart& part : session.parts) {
    const double before =
        static_cast<double>(row.version_time_ms) - static_cast<double>(part.time_ms);
    table.add({part.kind, part.name, part.class_name, bytes_text(part.bytes),
               age_text(row.last_access_seconds + before / 1000)});
  }
  return out + (session.parts.empty() ? "no attribute\n" : table.text(style));
}

std::string verify_text(const VerifyReport& report, const Style& style) {
  const auto count = [&](std::string_view outcome) {
    return static_cast<std::uint64_t>(
        std::ranges::count(report.members, outcome, &VerifyMember::outcome));
  };
  if (report.members.empty()) return "no member to compare with\n";
  const bool all_same = count("same") == report.members.size();
  std::string out =
      toned(all_same ? "SAME" : "DIFFERENT", all_same ? Tone::good : Tone::warn, style) + "  " +
      std::to_string(count("same")) + " of " + counted(report.members.size(), "member") +
      " have what this engine has   " + time_text(report.seconds) + "\n\n";
  Table table({{"MEMBER", false, 24},
               {"WHO"},
               {"CONTEXT", false, 28},
               {"HERE", true},
               {"THERE", true},
               {"OUTCOME"}});
  for (const VerifyMember& member : report.members) {
    for (const VerifyContext& one : member.contexts) {
      table.add({member.name, member.kind, one.context, count_text(one.here), count_text(one.there),
                 Cell(one.outcome, one.outcome == "same" ? Tone::good : Tone::warn)});
    }
  }
  out += table.text(style);
  for (const VerifyMember& member : report.members) out += differences_text(member);
  return out;
}

}  // namespace tribecast::control
