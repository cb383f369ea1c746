// The live page: one WebSocket, which is opened again whenever it breaks.
import { addAlerts, loadAlerts, showCameraNames } from "./alerts.js";
import { showCameras, showPicture } from "./wall.js";
import { element, seconds } from "./words.js";

const LONGEST_WAIT_S = 10;
const SILENT_S = 5; // s without a word: the connection is dead, though nobody has said so
const connection = document.getElementById("connection");
let failures = 0;
let heard = 0;

async function connect() {
  try {
    const since = await loadAlerts();
    follow(new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live?since=${since}`));
  } catch {
    retry();
  }
}

function follow(socket) {
  socket.binaryType = "arraybuffer";
  let ended = false;
  let hasTiles = false; // a picture before its tile is there would be lost
  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(watch);
    socket.close();
    retry();
  };
  const ask = () => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (document.hidden) document.addEventListener("visibilitychange", ask, { once: true });
    else socket.send("pictures");
  };
  const watch = setInterval(() => { if (Date.now() - heard > SILENT_S * 1000) end(); }, 1000);
  heard = Date.now();
  socket.onclose = end;
  socket.onmessage = ({ data }) => {
    heard = Date.now();
    if (typeof data !== "string") return showPicture(data);
    const message = JSON.parse(data);
    if (message.type === "pictures") ask();
    else if (message.type === "alerts") addAlerts(message.alerts);
    else {
      showStatus(message);
      if (!hasTiles) ask();
      hasTiles = true;
    }
  };
}

function retry() {
  failures += 1;
  const wait = Math.min(2 ** (failures - 1), LONGEST_WAIT_S);
  say("lost", `connection lost, trying again in ${wait} s`);
  setTimeout(() => { say("connecting", "connecting"); connect(); }, wait * 1000);
}

function say(state, words) {
  connection.dataset.state = state;
  if (connection.textContent !== words) connection.textContent = words;
}

function showStatus(status) {
  failures = 0;
  say("live", "connected");
  showCameras(status.cameras, status.open_alerts);
  showCameraNames(status.cameras.map((camera) => camera.name));
  showSummary(status.cameras, status.open_alerts.length);
  const problems = document.getElementById("problems");
  problems.hidden = status.problems.length === 0;
  const lines = status.problems.join("\n");
  if (problems.dataset.lines !== lines) {
    problems.dataset.lines = lines;
    problems.replaceChildren(...status.problems.map((problem) => element("li", {}, problem)));
  }
  showTargets(status.targets);
}

function showSummary(cameras, alarms) {
  const live = cameras.filter((camera) => camera.state === "live").length;
  document.getElementById("live-cameras").textContent = `${live} of ${cameras.length} ${cameras.length === 1 ? "camera" : "cameras"} live`;
  const link = document.getElementById("open-alerts");
  link.textContent = alarms === 0 ? "no alert goes on" : alarms === 1 ? "1 alert goes on" : `${alarms} alerts go on`;
  link.classList.toggle("alarm", alarms > 0);
  document.title = alarms ? `(${alarms}) vigil` : "vigil";
  document.getElementById("icon").href = alarms ? "/static/alarm.svg" : "/static/well.svg";
  document.querySelector(".bar").classList.toggle("alarm", alarms > 0);
}

function showTargets(targets) {
  const line = document.getElementById("targets");
  line.hidden = targets.length === 0;
  line.replaceChildren(...targets.map((target) => {
    const words = [target.name];
    if (target.waiting) words.push(`${target.waiting} waiting`);
    if (target.parked) words.push(`${target.parked} refused`);
    if (target.failing_since) words.push(`fails for ${seconds(Date.now() / 1000 - target.failing_since)}`);
    if (target.last_error) words.push(target.last_error);
    if (words.length === 1) words.push(`${target.delivered} delivered`);
    return element("li", { className: target.failing_since || target.parked ? "failing" : "" }, words.join(" · "));
  }));
}

setInterval(() => { document.getElementById("clock").textContent = new Date().toISOString().slice(11, 19); }, 500);
connect();
