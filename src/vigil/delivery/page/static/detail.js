// One alert in full: clip or picture with the region marked, its times, scores, and what made it.
import { drawShape, element, evidence, lasted, moment, number, percent, seconds } from "./words.js";

const dialog = document.getElementById("detail");
let current = null;

export function showDetail(alert) {
  current = alert;
  fill(alert, alert.clip ? "clip" : "picture");
  dialog.showModal();
}

// A later revision of the alert that is shown; a clip that plays is not disturbed.
export function updateDetail(alert) {
  if (!dialog.open || current === null || current.id !== alert.id || dialog.querySelector("video")) return;
  current = alert;
  fill(alert, "picture");
}

dialog.addEventListener("close", () => dialog.replaceChildren());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

function fill(alert, which) {
  const close = element("button", { className: "close", onclick: () => dialog.close() }, "Close");
  const title = element("h2", { id: "detail-title" }, `${alert.label} at ${alert.camera}`);
  const choice = element("div", { className: "choice", role: "group", "aria-label": "What is shown" });
  for (const kind of ["clip", "picture"]) {
    if (alert.clip && alert.picture) {
      choice.append(element("button", { "aria-pressed": String(kind === which), onclick: () => fill(alert, kind) }, kind === "clip" ? "Clip" : "Picture"));
    }
  }
  dialog.replaceChildren(
    element("div", { className: "detail-head" }, title, close),
    makeStage(alert, which),
    ...(choice.children.length ? [choice] : []),
    makeFacts(alert), makeScores(alert), makeProvenance(alert),
  );
}

function makeStage(alert, which) {
  if (which === "clip" && alert.clip) {
    return element("div", { className: "stage" }, element("video", { src: evidence(alert.clip), controls: true, autoplay: true, muted: true, loop: true, "aria-label": `Clip of ${alert.label} at ${alert.camera}` }));
  }
  if (!alert.picture) return element("div", { className: "stage" }, element("p", { className: "empty" }, "no picture"));
  const image = element("img", { src: evidence(alert.picture), alt: `${alert.label} at ${alert.camera}` });
  return element("div", { className: "stage" }, element("div", { className: "frame" }, image, drawRegion(alert.region)));
}

function drawRegion(region) {
  if (region === null) return null;
  const drawing = drawShape("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none" });
  drawing.append(drawShape("rect", { x: region.left, y: region.top, width: region.right - region.left, height: region.bottom - region.top }));
  return drawing;
}

function makeFacts(alert) {
  const facts = [
    ["Start", moment(alert.start)],
    ["Peak", moment(alert.peak)],
    ["End", alert.stop ? moment(alert.stop) : "goes on"],
    ["Lasted", alert.stop ? `${seconds(lasted(alert))} (${alert.ended})` : "–"],
    ...(alert.person === null ? [] : [["Person", String(alert.person)]]),
    ["Source", alert.source],
  ];
  return element("dl", { className: "facts" }, ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function makeScores(alert) {
  const cells = (kind, words) => element("tr", {}, ...words.map((word) => element(kind, {}, word)));
  const rows = alert.detectors.map((d) => cells("td", [d.detector, percent(d.p), number(d.score, d.threshold), number(d.threshold, d.threshold), thresholdOrigin(d)]));
  return element("table", { className: "scores" },
    element("thead", {}, cells("th", ["Detector", "Probability", "Score", "Alarm from", "Set"])),
    element("tbody", {}, ...rows));
}

function thresholdOrigin(detector) {
  if (detector.threshold_by_hand) return "by hand";
  return detector.budget_per_hour ? `for ${detector.budget_per_hour}/h` : "calibrated";
}

function makeProvenance(alert) {
  const lines = [["alert", `${alert.id}, revision ${alert.revision}`], ["code", alert.code_revision], ["params", alert.params_sha256]];
  for (const d of alert.detectors) {
    lines.push([`model ${d.detector}`, d.model_sha256], [`calibration ${d.detector}`, d.calibration_sha256 || "none"]);
  }
  return element("details", { className: "made" }, element("summary", {}, "What made it"),
    ...lines.map(([name, value]) => element("p", {}, `${name}: `, element("code", {}, value))));
}
