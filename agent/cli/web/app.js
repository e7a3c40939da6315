"use strict";
// One page: asks for data each second and shows it. Text from elsewhere only ever becomes textContent.

const TEXTS = {
  en: {
    other: "中文", peers: "Peers, as seen from here", matrix: "Who hears whom: round trip and loss, as each row's agent says", members: "Members, heartbeats of the last 60 s", groups: "Groups", events: "Events",
    ok: "OK", idle: "IDLE", degraded: "DEGRADED", critical: "CRITICAL", away: "AGENT AWAY",
    up_of: (up, all) => `${up} of ${all} peers up`, no_peer: "no peer is configured yet",
    seen: (local, remote) => `members: ${local} local, ${remote} remote`,
    peer: "peer", state: "state", rtt: "round trip", loss_in: "loss in", loss_out: "loss out", offset: "clock", mtu: "datagram", heard: "heard", site: "site",
    p50: "latency p50", p99: "latency p99", captured: "captured/s", relayed: "relayed/s", injected: "injected/s", dropped: "dropped", uptime: "running for",
    group: "group", address: "address", interfaces: "interfaces", captured_all: "captured", relayed_all: "relayed", received_all: "received", injected_all: "injected",
    none: "none", nothing: "nothing yet", ago: (t) => `${t} ago`, local: "local", remote: "through", now: "now", alive_for: "alive for",
    asking: "Asking the agents …", asked: (time, more) => `as of ${time}, asked every 10 s` + (more ? `; ${more} more agents are not shown` : ""),
    refused: (why) => `The agents cannot be asked: ${why}`, unanswered: "The command `tribecast status --web` does not answer; asking again.",
    answers: { no_session: "not asked: it is not heard", no_answer: "did not answer", unfinished: "did not answer in full", whole: "its answer cannot be read", unknown: "not asked: not a peer of this node" },
    footer: (v, t) => `tribecast ${v}; as of ${t}; read only, served by the command line tool on loopback`,
    gone: "The agent or the command `tribecast status --web` does not answer; asking again.",
    states: { up: "up", lossy: "lossy", half_open_in: "not heard", half_open_out: "does not hear us", silent: "silent", key_rejected: "wrong key", stopped: "stopped", disabled: "disabled", self: "this node", alive: "alive", late: "late", left: "left", lost: "lost" },
    reasons: {}, eventNames: {},
  },
  zh: {
    other: "English", peers: "对端（从本机看）", matrix: "谁能听到谁：往返时延与丢包（各行代理所见）", members: "成员，最近 60 秒的心跳", groups: "组播组", events: "事件",
    ok: "正常", idle: "空闲", degraded: "降级", critical: "严重", away: "代理无响应",
    up_of: (up, all) => `${all} 个对端中 ${up} 个可用`, no_peer: "尚未配置对端",
    seen: (local, remote) => `成员：本机 ${local}，远端 ${remote}`,
    peer: "对端", state: "状态", rtt: "往返时延", loss_in: "接收丢包", loss_out: "发送丢包", offset: "时钟差", mtu: "最大报文", heard: "最近收到", site: "站点",
    p50: "延迟 p50", p99: "延迟 p99", captured: "捕获/秒", relayed: "转发/秒", injected: "注入/秒", dropped: "丢弃", uptime: "已运行",
    group: "组", address: "地址", interfaces: "网卡", captured_all: "捕获", relayed_all: "转发", received_all: "接收", injected_all: "注入",
    none: "无", nothing: "暂无", ago: (t) => `${t}前`, local: "本机", remote: "经由", now: "现在", alive_for: "存活",
    asking: "正在询问各代理……", asked: (time, more) => `数据时间 ${time}，每 10 秒询问一次` + (more ? `；另有 ${more} 个代理未显示` : ""),
    refused: (why) => `无法询问各代理：${why}`, unanswered: "命令 `tribecast status --web` 没有响应，正在重试。",
    answers: { no_session: "未询问：收不到对方", no_answer: "没有回答", unfinished: "回答不完整", whole: "回答无法解读", unknown: "未询问：不是本机的对端" },
    footer: (v, t) => `tribecast ${v}；数据时间 ${t}；只读，由命令行工具在本机回环地址提供`,
    gone: "代理或命令 `tribecast status --web` 没有响应，正在重试。",
    states: { up: "可用", lossy: "丢包", half_open_in: "收不到对方", half_open_out: "对方收不到我们", silent: "无声", key_rejected: "密钥不符", stopped: "已停止", disabled: "已禁用", self: "本机", alive: "存活", late: "迟到", left: "已离开", lost: "失联" },
    reasons: { peer_lossy: "对端 {peer} 丢包", peer_half_open_in: "收不到对端 {peer}：对方到本机的 UDP 端口是否开放？", peer_half_open_out: "对端 {peer} 收不到我们：本机到对方的 UDP 端口是否开放？", peer_silent: "对端 {peer} 无声：代理是否在运行，UDP 端口是否双向开放？", peer_key_rejected: "对端 {peer} 与本机没有共同的密钥", peer_stopped: "对端 {peer} 已停止", peer_disabled: "对端 {peer} 已禁用",
      agent_away: "有对端的代理无声，但其成员仍在应答", clock_offset: "与对端的时钟相差过大，请在两端运行 NTP", name_unresolved: "有域名无法解析",
      loopback_member: "有成员公布了回环地址，不予转发", foreign_member: "有成员公布的不是其主机的地址，不予转发",
      config_unconfirmed: "配置处于试用期，未确认将被撤销", config_undone: "上次重新加载的配置已被撤销",
      discovery_failed: "对端发现失败", discovery_shrunk: "对端发现的结果变少，暂且保留原有对端", discovery_full: "发现的对端过多",
      interface_missing: "网卡不存在", interface_down: "网卡未启用", no_multicast_route: "没有组播路由", route_is_loopback: "组播路由指向回环接口", join_failed: "无法加入组播组", capture_failed: "无法捕获" },
    eventNames: { ready: "就绪", peer_up: "对端可用", peer_silent: "对端无声", peer_stopped: "对端已停止", peer_restarted: "对端已重启", peer_key_rejected: "对端密钥不符", peer_is_self: "对端即本机",
      unconfigured_peer: "未配置的对端", peer_away: "对端的代理无声，其成员仍在", member_refused: "成员被拒绝", member_joined: "成员加入", member_left: "成员离开", member_lost: "成员失联", member_dead: "成员已死",
      member_replaced: "成员被取代", reloaded: "已重新加载", reload_failed: "重新加载失败", config_confirmed: "配置已确认", undo_failed: "撤销失败", discovery_recovered: "对端发现已恢复",
      discovery_changed: "发现的对端有变", control_private: "控制套接字仅限代理用户", no_syscall_filter: "系统调用过滤未启用" },
  },
};
const WINDOW_SECONDS = 60;
const GOOD = { up: "good", self: "faint", disabled: "faint", stopped: "faint", alive: "good", left: "faint", lossy: "warn", half_open_in: "warn", half_open_out: "warn", late: "warn" };

let language = (new URLSearchParams(location.search).get("lang") || navigator.language || "en").startsWith("zh") ? "zh" : "en";
let last = null;
let away = false;
let cluster = null; // what all agents say of one another; { unanswered } when nobody told
const beats = new Map(); // member -> times of its heartbeats, in seconds of this page's clock

const t = () => TEXTS[language];
const by = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}
function svg(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
const unknown = (value) => value === null || value === undefined;
const ms = (s) => unknown(s) ? "–" : Math.abs(s) < 1 ? `${(s * 1000).toFixed(Math.abs(s) < 0.01 ? 2 : 1)} ms` : `${s.toFixed(2)} s`;
const percent = (r) => unknown(r) ? "–" : `${(r * 100).toFixed(1)} %`;
function age(s) {
  if (unknown(s)) return "–";
  const units = language === "zh" ? [" 秒", " 分", " 小时", " 天"] : [" s", " min", " h", " d"];
  if (s < 10) return s.toFixed(1) + units[0];
  if (s < 120) return Math.round(s) + units[0];
  if (s < 7200) return Math.floor(s / 60) + units[1];
  return s < 172800 ? Math.floor(s / 3600) + units[2] : Math.floor(s / 86400) + units[3];
}
function heat(value, warn, bad) {
  if (unknown(value)) return "";
  return Math.abs(value) >= bad ? "heat2" : Math.abs(value) >= warn ? "heat1" : "heat0";
}
function fill(parent, children) { parent.replaceChildren(...children); }
function head(id, names, textColumns) {
  const row = element("tr");
  names.forEach((name, i) => row.append(element("th", t()[name], i < textColumns ? "text" : "")));
  fill(by(id), [row]);
}

function showVerdict(s) {
  const peers = s.peers.filter((p) => p.state !== "self");
  const up = peers.filter((p) => p.state === "up" || p.state === "lossy").length;
  const seen = (origin) => s.members.filter((m) => m.origin === origin && (m.state === "alive" || m.state === "late")).length;
  by("verdict").className = s.verdict.level;
  by("level").textContent = t()[s.verdict.level];
  by("summary").textContent = (peers.length ? t().up_of(up, peers.length) : t().no_peer) + "　" + t().seen(seen("local"), seen("remote"));
  fill(by("reasons"), s.verdict.reasons.filter((r) => r.id !== "no_peers").map((r) => {
    const known = t().reasons[r.id];
    if (known && r.peer) return element("li", known.replace("{peer}", r.peer));
    return element("li", known ? `${known}：${r.text}` : r.text);
  }));
}
function showFigures(s) {
  const drops = Object.entries(s.drops).filter(([, n]) => n > 0);
  const rows = [["p50", ms(s.latency_seconds.p50)], ["p99", ms(s.latency_seconds.p99)],
    ["captured", s.rates.captured_per_second.toFixed(1)], ["relayed", s.rates.relayed_per_second.toFixed(1)],
    ["injected", s.rates.injected_per_second.toFixed(1)],
    ["dropped", drops.length ? drops.map(([reason, n]) => `${n} ${reason}`).join(", ") : t().none],
    ["uptime", age(s.node.uptime_seconds)]];
  fill(by("figures"), rows.map(([name, value]) => {
    const pair = element("div");
    pair.append(element("dt", t()[name]), element("dd", value));
    return pair;
  }));
}
function showPeers(s) {
  head("peers-head", ["peer", "state", "rtt", "loss_in", "loss_out", "offset", "mtu", "heard"], 2);
  fill(by("peers"), s.peers.map((p) => {
    const row = element("tr");
    const name = element("td", p.name);
    name.title = [p.endpoint, p.site].filter(Boolean).join(", ");
    row.append(name, element("td", t().states[p.state] || p.state, `text state ${GOOD[p.state] || "bad"}`),
      element("td", ms(p.rtt_seconds), heat(p.rtt_seconds, 0.05, 0.3)),
      element("td", percent(p.loss_in_ratio), heat(p.loss_in_ratio, 0.01, 0.1)),
      element("td", percent(p.loss_out_ratio), heat(p.loss_out_ratio, 0.01, 0.1)),
      element("td", ms(p.clock_offset_seconds), heat(p.clock_offset_seconds, 0.1, 0.5)),
      element("td", unknown(p.mtu_bytes) ? "–" : p.mtu_bytes),
      element("td", unknown(p.last_heard_seconds) ? "–" : t().ago(age(p.last_heard_seconds))));
    return row;
  }));
}
const stateOf = (state) => `state ${GOOD[state] || "bad"}`;
const nameOf = (agent) => agent.peer && agent.peer !== agent.name ? `${agent.name} (${agent.peer})` : agent.name;
function sightCell(sight, from, of) {
  if (from === of) return element("td", "–", "faint");
  if (!sight) return element("td", "·", "faint");
  const up = sight.state === "up" || sight.state === "lossy";
  const losses = [sight.loss_in_ratio, sight.loss_out_ratio].filter((loss) => !unknown(loss));
  const loss = losses.length ? Math.max(...losses) : null;
  const worst = [heat(sight.rtt_seconds, 0.05, 0.3), heat(loss, 0.01, 0.1)].sort().pop();
  const cell = element("td", undefined, up ? worst : { good: "heat0", faint: "", warn: "heat1" }[GOOD[sight.state]] ?? "heat2");
  if (sight.state !== "up") cell.append(element("span", t().states[sight.state] || sight.state, stateOf(sight.state)));
  if (up) cell.append(element("div", ms(sight.rtt_seconds)), element("small", percent(loss)));
  cell.title = `${t().loss_in} ${percent(sight.loss_in_ratio)}, ${t().loss_out} ${percent(sight.loss_out_ratio)}`;
  return cell;
}
function showMatrix() {
  const agents = cluster && cluster.agents;
  by("matrix-note").textContent = !cluster ? t().asking : cluster.unanswered ? t().unanswered : !agents ? t().refused(cluster.error)
    : t().asked(new Date(cluster.generated_at).toLocaleTimeString(language), cluster.left_out);
  if (!agents) return fill(by("matrix"), []);
  const head = element("thead"), body = element("tbody"), names = element("tr");
  names.append(element("th"), ...agents.map((agent) => element("th", nameOf(agent))));
  head.append(names);
  agents.forEach((agent, from) => {
    const row = element("tr"), name = element("th", nameOf(agent));
    name.title = nameOf(agent);
    row.append(name);
    if (agent.sees) {
      row.append(...agent.sees.map((sight, of) => sightCell(sight, from, of)));
    } else {
      const why = element("td", t().answers[agent.answer || "unknown"], "text warn");
      why.colSpan = agents.length;
      row.append(why);
    }
    body.append(row);
  });
  fill(by("matrix"), [head, body]);
}
const keyOf = (m) => `${m.group} ${m.host}:${m.port} ${m.unique_id}`;
function rememberBeats(s, now) {
  const present = new Set();
  for (const m of s.members) {
    const key = keyOf(m);
    present.add(key);
    if (unknown(m.last_heartbeat_seconds)) continue;
    const times = beats.get(key) || [];
    const time = now - m.last_heartbeat_seconds;
    if (!times.length || time - times[times.length - 1] > 0.05) times.push(time);
    while (times.length && times[0] < now - WINDOW_SECONDS) times.shift();
    beats.set(key, times);
  }
  for (const key of beats.keys()) if (!present.has(key)) beats.delete(key);
}
// A point each time that a new heartbeat was seen; red where none came for longer than three seconds.
function timeLine(times, now) {
  const picture = svg("svg", { class: "beats", viewBox: "0 0 600 26", preserveAspectRatio: "none", role: "img" });
  const x = (time) => 600 - (now - time) / WINDOW_SECONDS * 600;
  picture.append(svg("line", { x1: 0, y1: 13, x2: 600, y2: 13 }));
  const ends = [...times, now];
  for (let i = 1; i < ends.length; ++i) {
    if (ends[i] - ends[i - 1] <= 3) continue;
    picture.append(svg("rect", { x: x(ends[i - 1]), y: 5, width: x(ends[i]) - x(ends[i - 1]), height: 16 }));
  }
  for (const time of times) picture.append(svg("circle", { cx: x(time), cy: 13, r: 3 }));
  return picture;
}
function showMembers(s, now) {
  if (!s.members.length) return fill(by("members"), [element("span", t().nothing, "faint")]);
  fill(by("members"), s.members.map((m) => {
    const row = element("div", undefined, "member");
    const name = element("div", `${m.host}:${m.port} `);
    name.append(element("span", t().states[m.state] || m.state, `state ${GOOD[m.state] || "bad"}`),
      element("small", `${m.group}, ${m.origin === "local" ? t().local : `${t().remote} ${m.via}`}, ${t().alive_for} ${age(m.alive_seconds)}`));
    row.append(name, timeLine(beats.get(keyOf(m)) || [], now));
    return row;
  }));
}
function showGroups(s) {
  head("groups-head", ["group", "address", "interfaces", "captured_all", "relayed_all", "received_all", "injected_all", "dropped"], 3);
  fill(by("groups"), s.groups.map((g) => {
    const row = element("tr");
    const dropped = Object.values(g.dropped).reduce((a, b) => a + b, 0);
    row.append(element("td", g.name), element("td", g.address, "text"),
      element("td", g.interfaces.join(", ") || t().none, g.interfaces.length ? "text" : "text warn"),
      ...[g.captured, g.relayed, g.received, g.injected, dropped].map((n) => element("td", n)));
    return row;
  }));
}
function showEvents(events) {
  fill(by("events"), [...events].reverse().slice(0, 100).map((e) => {
    const line = element("li");
    line.append(element("time", new Date(e.time).toLocaleTimeString(language)),
      element("span", `${e.id} ${t().eventNames[e.id] || t().reasons[e.id] || ""} `, e.level === "error" ? "bad" : e.level === "warning" ? "warn" : "faint"),
      element("span", `${e.subject || ""} ${e.text}`));
    return line;
  }));
}
function show() {
  document.documentElement.lang = language;
  by("language").textContent = t().other;
  for (const e of document.querySelectorAll("[data-text]")) e.textContent = t()[e.dataset.text];
  if (last) {
    const now = performance.now() / 1000;
    const s = last.status;
    by("node").textContent = s.node.name + (s.node.site ? `, ${s.node.site}` : "");
    document.title = `${t()[away ? "away" : s.verdict.level]} – ${s.node.name} – tribecast`;
    showVerdict(s);
    showFigures(s);
    showPeers(s);
    showMembers(s, now);
    showGroups(s);
    showEvents(last.events);
    by("footer").textContent = t().footer(s.node.version, new Date(s.generated_at).toLocaleTimeString(language));
  }
  if (!away) return;
  by("verdict").className = "away";
  by("level").textContent = t().away;
  by("summary").textContent = t().gone;
  fill(by("reasons"), []);
}
async function ask() {
  try {
    const reply = await fetch("data", { cache: "no-store" });
    if (!reply.ok) throw new Error(reply.status);
    last = await reply.json();
    away = false;
    rememberBeats(last.status, performance.now() / 1000);
  } catch (error) {
    away = true;
  }
  show();
  setTimeout(ask, 1000);
}
// A roll call: rarely, and only for somebody who looks.
async function askCluster() {
  if (document.visibilityState === "visible") {
    try {
      const reply = await fetch("cluster", { cache: "no-store" });
      if (!reply.ok) throw new Error(reply.status);
      cluster = await reply.json();
    } catch (error) {
      cluster = { unanswered: true };
    }
    showMatrix();
  }
  setTimeout(askCluster, 10000);
}
by("language").addEventListener("click", () => {
  language = language === "en" ? "zh" : "en";
  show();
  showMatrix();
});
show();
showMatrix();
ask();
askCluster();
