// The list of alerts, newest first: each in its latest revision.
import { showDetail, updateDetail } from "./detail.js";
import { element, evidence, lasted, moment, number, percent, seconds } from "./words.js";

const list = document.getElementById("alert-list");
const chooser = document.getElementById("camera");
const older = document.getElementById("older");
const shown = new Map(); // id -> { stored, item }
let next = null;

// Shows the first page; returns the place in the outbox after which everything is still to come.
export async function loadAlerts() {
  const page = await fetchPage(null);
  shown.clear();
  list.replaceChildren();
  showPage(page);
  return page.last_seq;
}

// Alerts as they come, the oldest first; the new ones are read out.
export function addAlerts(alerts) {
  for (const stored of alerts) {
    const isNew = !shown.has(stored.alert.id);
    if (chooser.value && stored.alert.camera !== chooser.value) continue;
    place(stored);
    if (isNew) announce(`New alert: ${stored.alert.label} at ${stored.alert.camera}`);
  }
  finish();
}

export function showCameraNames(names) {
  if ([...chooser.options].slice(1).map((option) => option.value).join("\n") === names.join("\n")) return;
  const chosen = chooser.value;
  if (chosen && !names.includes(chosen)) names = [...names, chosen];
  chooser.replaceChildren(element("option", { value: "" }, "all"), ...names.map((name) => element("option", { value: name }, name)));
  chooser.value = chosen;
}

chooser.onchange = () => loadAlerts().catch(() => {}); // the connection is lost too then, and comes back with all
older.onclick = () => fetchPage(next).then(showPage).catch(() => {});

async function fetchPage(before) {
  const query = new URLSearchParams({ limit: "30" });
  if (chooser.value) query.set("camera", chooser.value);
  if (before !== null) query.set("before", before);
  const answer = await fetch(`/alerts?${query}`);
  if (answer.status === 401) location.assign("/login");
  if (!answer.ok) throw new Error(`/alerts answers ${answer.status}`);
  return answer.json();
}

function showPage(page) {
  next = page.next;
  page.alerts.forEach(place);
  finish();
}

function place(stored) {
  const known = shown.get(stored.alert.id);
  if (known && known.stored.alert.revision >= stored.alert.revision) return;
  const item = element("li", {}, makeRow(stored.alert));
  if (known) {
    const hadFocus = known.item.contains(document.activeElement);
    known.item.replaceWith(item);
    if (hadFocus) item.firstChild.focus();
  } else {
    const after = [...shown.values()].filter((other) => other.stored.raised < stored.raised);
    const following = after.reduce((best, other) => (!best || other.stored.raised > best.stored.raised ? other : best), null);
    list.insertBefore(item, following ? following.item : null);
  }
  shown.set(stored.alert.id, { stored, item });
  updateDetail(stored.alert);
}

function finish() {
  document.getElementById("no-alerts").hidden = shown.size > 0;
  older.hidden = next === null;
}

function makeRow(alert) {
  const isOpen = alert.stop === null;
  const thumb = element("span", { className: "thumb" });
  if (alert.picture) {
    const image = element("img", { alt: "", loading: "lazy", src: evidence(alert.picture) });
    image.onerror = () => thumb.replaceChildren("no picture");
    thumb.append(image);
  } else thumb.append("no picture");
  const time = alert.start.utc === null ? element("span", {}, moment(alert.start)) : element("time", { dateTime: alert.start.utc, title: `${alert.start.utc} UTC` }, moment(alert.start));
  const duration = isOpen ? element("span", { className: "lasting" }, " · goes on") : element("span", {}, ` · ${seconds(lasted(alert))}`);
  const scores = alert.detectors.map(({ detector, score, p, threshold, threshold_by_hand: byHand }) => `${detector} ${p === null ? number(score, threshold) : percent(p)}${byHand ? " (threshold by hand)" : ""}`);
  const what = element("span", { className: "what" },
    element("strong", {}, alert.label),
    element("span", {}, alert.camera),
    element("small", {}, time, duration),
    element("small", {}, scores.join(", ")));
  const row = element("button", { className: isOpen ? "alert open" : "alert" }, thumb, what);
  row.onclick = () => showDetail(shown.get(alert.id).stored.alert);
  return row;
}

function announce(text) {
  document.getElementById("announcement").textContent = text;
}
