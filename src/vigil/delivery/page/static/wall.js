// The wall: a tile for each camera, made once and then brought up to date.
import { drawShape, element, number, percent, seconds } from "./words.js";

const wall = document.getElementById("wall");
const tiles = new Map();
const decoder = new TextDecoder();
const REMEMBERED = 120; // readings of a curve, one a second

export function showCameras(cameras, openAlerts) {
  document.getElementById("no-cameras").hidden = cameras.length > 0;
  for (const name of [...tiles.keys()]) {
    if (!cameras.some((camera) => camera.name === name)) {
      tiles.get(name).root.remove();
      tiles.delete(name);
    }
  }
  for (const camera of cameras) {
    if (!tiles.has(camera.name)) tiles.set(camera.name, makeTile(camera.name));
    update(tiles.get(camera.name), camera);
    showAlarm(tiles.get(camera.name), openAlerts.filter((alert) => alert.camera === camera.name));
  }
}

// A message of one byte with the length of the camera's name, the name, and a JPEG.
export function showPicture(message) {
  const length = new Uint8Array(message, 0, 1)[0];
  const tile = tiles.get(decoder.decode(new Uint8Array(message, 1, length)));
  if (!tile) return;
  const address = URL.createObjectURL(new Blob([new Uint8Array(message, 1 + length)], { type: "image/jpeg" }));
  tile.image.onload = tile.image.onerror = () => URL.revokeObjectURL(address);
  tile.image.src = address;
  tile.image.hidden = false;
  tile.hasPicture = true;
  tile.blank.hidden = true;
}

function makeTile(name) {
  const image = element("img", { alt: "", hidden: true });
  const blank = element("span", { className: "blank" }, "no picture yet");
  const banner = element("span", { className: "banner", hidden: true });
  const view = element("button", { className: "view", "aria-label": `${name}: enlarge`, "aria-pressed": "false" }, image, blank, banner);
  const state = element("span", { className: "chip" });
  const pace = element("p", { className: "pace" });
  const readings = element("ul", { className: "readings", "aria-label": `Scores of ${name}` });
  const head = element("div", { className: "name" }, element("h3", {}, name), state);
  const root = element("article", { className: "tile", "aria-label": name }, view, head, pace, readings);
  view.onclick = () => {
    const large = root.classList.toggle("large");
    view.setAttribute("aria-pressed", String(large));
    if (large) root.scrollIntoView({ block: "nearest" });
  };
  wall.append(root);
  return { root, image, blank, banner, state, pace, readings, gauges: new Map(), hasPicture: false };
}

function update(tile, camera) {
  const away = camera.state !== "live";
  tile.root.classList.toggle("away", away);
  tile.state.dataset.state = camera.state;
  tile.state.textContent = camera.state;
  tile.blank.hidden = tile.hasPicture && !away;
  tile.blank.textContent = away ? camera.reason || camera.state : "no picture yet";
  const pace = [];
  if (!away && camera.fps !== null) pace.push(`${camera.fps.toFixed(1)} frames/s`);
  if (!away && camera.lag_s !== null) pace.push(`lag ${number(camera.lag_s)} s`);
  if (away && camera.frame_utc) pace.push(`last picture ${camera.frame_utc.slice(11, 19)}, ${since(camera.frame_utc)} ago`);
  tile.pace.textContent = pace.join(" · ");
  for (const [detector, gauge] of tile.gauges) {
    if (!camera.readings.some((reading) => reading.detector === detector)) {
      gauge.root.remove();
      tile.gauges.delete(detector);
    }
  }
  for (const reading of camera.readings) {
    if (!tile.gauges.has(reading.detector)) tile.gauges.set(reading.detector, makeGauge(tile, reading.detector));
    showReading(tile.gauges.get(reading.detector), reading);
  }
}

function showAlarm(tile, openAlerts) {
  tile.root.classList.toggle("alarm", openAlerts.length > 0);
  tile.banner.hidden = openAlerts.length === 0;
  tile.banner.textContent = [...new Set(openAlerts.map((alert) => alert.label))].join(", ");
}

function since(utc) {
  return seconds(Math.max(0, (Date.now() - Date.parse(utc)) / 1000));
}

function makeGauge(tile, detector) {
  const curve = drawShape("svg", { class: "curve", viewBox: `0 0 ${REMEMBERED - 1} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const line = drawShape("path", { class: "line" });
  curve.append(drawShape("path", { class: "limit", d: `M0 ${1 / 3}H${REMEMBERED - 1}` }), line);
  const value = element("span", { className: "value" });
  const root = element("li", { className: "reading" }, element("span", {}, detector), curve, value);
  tile.readings.append(root);
  return { root, curve, line, value, levels: [] };
}

// The curve of the last two minutes; the line at two thirds of its height is where the alarm sounds. What has no
// probability shows its score; one without a zero, as logarithms, is a number only.
function showReading(gauge, { score, p, threshold, threshold_p: thresholdP }) {
  const isProbable = thresholdP !== null;
  const [value, limit] = isProbable ? [p, thresholdP] : [score, threshold];
  gauge.curve.style.visibility = limit > 0 ? "visible" : "hidden";
  gauge.levels.push(value === null || !(limit > 0) ? null : levelOf(value, limit, isProbable ? 1 : 1.5 * limit));
  gauge.levels.splice(0, gauge.levels.length - REMEMBERED);
  gauge.line.setAttribute("d", traceLevels(gauge.levels));
  gauge.root.classList.toggle("over", score !== null && score >= threshold);
  const words = (reading) => (isProbable ? percent(reading, limit) : number(reading, limit));
  gauge.value.replaceChildren(element("b", {}, words(value)), ` of ${words(limit)}`);
  const raw = score === null ? "no score yet" : `score ${number(score, threshold)}, alarm from ${number(threshold, threshold)}`;
  gauge.root.title = isProbable ? `how probable something abnormal is, and from where the alarm sounds; ${raw}` : raw;
}

// A path with the newest level at the right edge; where there was no score it is interrupted.
function traceLevels(levels) {
  const places = levels.map((level, index) => (level === null ? null : `${REMEMBERED - levels.length + index} ${(1 - level).toFixed(3)}`));
  return places.map((place, index) => (place === null ? "" : index && places[index - 1] !== null ? `L${place}` : `M${place}h.01`)).join("");
}

// 0..1: two thirds of the height are below the limit, and the rest reaches to the most there can be.
function levelOf(value, limit, most) {
  if (value <= limit) return (Math.max(value, 0) / limit) * (2 / 3);
  return 2 / 3 + (Math.min((value - limit) / (most - limit), 1) || 0) / 3;
}
