// How times, numbers and elements are written; all times are UTC.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function drawShape(name, attributes) {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  return shape;
}

// With as many decimals as tell the threshold's first two digits, so that a number and its threshold look alike.
export function number(value, threshold = 1) {
  if (value === null || value === undefined) return "–";
  const size = threshold === 0 ? 1 : Math.abs(threshold);
  return value.toFixed(Math.min(Math.max(1 - Math.floor(Math.log10(size)), size >= 100 ? 0 : 2), 12));
}

// A probability, 0..1, with the two digits of its threshold that matter.
export function percent(p, threshold = 1) {
  if (p === null || p === undefined) return "–";
  return `${(100 * p).toFixed(threshold > 0 ? Math.min(Math.max(-1 - Math.floor(Math.log10(threshold)), 0), 12) : 0)} %`;
}

export function seconds(value) {
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(value % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// A moment by the clock of the world, with the day unless it is today; without a clock by the seconds of the source.
export function moment(at, now = new Date()) {
  if (at.utc === null) return `at ${seconds(at.source_s)}`;
  const day = at.utc.slice(0, 10) === now.toISOString().slice(0, 10) ? "" : `${at.utc.slice(0, 10)} `;
  return day + at.utc.slice(11, 19);
}

export function lasted(alert) {
  return alert.stop === null ? null : alert.stop.source_s - alert.start.source_s;
}

export function evidence(path) {
  return `/evidence/${path.split("/").map(encodeURIComponent).join("/")}`;
}
