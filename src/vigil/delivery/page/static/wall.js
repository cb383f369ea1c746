// The wall: a tile for each camera, made once and then brought up to date.
import { element, number, seconds } from "./words.js";

const wall = document.getElementById("wall");
const tiles = new Map();
const decoder = new TextDecoder();

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
  const level = element("i");
  const value = element("span", { className: "value" });
  const bar = element("span", { className: "gauge", "aria-hidden": "true" }, level);
  const root = element("li", { className: "reading" }, element("span", {}, detector), bar, value);
  tile.readings.append(root);
  return { root, level, bar, value };
}

// The mark at two thirds is the threshold. A score that has no zero, as logarithms, is a number only.
function showReading(gauge, { score, p, threshold }) {
  const share = threshold > 0 && score !== null ? score / threshold / 1.5 : null;
  gauge.bar.style.visibility = threshold > 0 ? "visible" : "hidden";
  gauge.level.style.width = `${Math.min(Math.max(share ?? 0, 0), 1) * 100}%`;
  gauge.root.classList.toggle("over", score !== null && score >= threshold);
  gauge.value.replaceChildren(element("b", {}, number(score, threshold)), ` of ${number(threshold, threshold)}`);
  gauge.root.title = p === null ? "" : `probability ${number(p)}`;
}
