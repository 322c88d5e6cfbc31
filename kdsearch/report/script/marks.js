// The marks of the chart: one small function per kind of thing, in pixels.

const SVG = "http://www.w3.org/2000/svg";

function made(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function written(text, x, y, attributes = {}) {
  return made("text", { x: x.toFixed(1), y: y.toFixed(1), ...attributes }, text);
}

function ruled(x1, y1, x2, y2, name) {
  const [a, b, c, d] = [x1, y1, x2, y2].map((one) => one.toFixed(1));
  return made("line", { x1: a, y1: b, x2: c, y2: d, class: name });
}

const SHAPES = [
  (r) => `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0z`,
  (r) => `M${-r * 0.9} ${-r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}z`,
  (r) => `M0 ${-r * 1.15}L${r * 1.1} ${r * 0.8}H${-r * 1.1}z`,
  (r) => `M0 ${-r * 1.25}L${r * 1.25} 0L0 ${r * 1.25}L${-r * 1.25} 0z`,
  (r) => `M0 ${r * 1.15}L${r * 1.1} ${-r * 0.8}H${-r * 1.1}z`,
];

/** A mark of the run with this rank: runs differ in shape as well as in colour. */
function shaped(rank, x, y, radius, name) {
  const place = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  return made("path", { d: SHAPES[rank % SHAPES.length](radius), transform: place, class: name });
}

/** A cross with short caps; either arm may be unknown. */
function errorBars(xs, ys, x, y) {
  const parts = [];
  if (xs) {
    parts.push(ruled(xs[0], y, xs[1], y, "bar"));
    for (const end of xs) parts.push(ruled(end, y - 3, end, y + 3, "bar"));
  }
  if (ys) {
    parts.push(ruled(x, ys[0], x, ys[1], "bar"));
    for (const end of ys) parts.push(ruled(x - 3, end, x + 3, end, "bar"));
  }
  return parts;
}

/** What is reached: from the best x to the worst, whoever beats all before. */
function stairs(places, towardX, towardY, edge) {
  const order = [...places].sort((a, b) => (a.x - b.x) * towardX || (a.y - b.y) * towardY);
  const kept = [];
  for (const one of order) {
    if (!kept.length || (one.y - kept.at(-1).y) * towardY < 0) kept.push(one);
  }
  if (!kept.length) return null;
  let d = `M${kept[0].x.toFixed(1)} ${kept[0].y.toFixed(1)}`;
  for (const one of kept.slice(1)) d += `H${one.x.toFixed(1)}V${one.y.toFixed(1)}`;
  return `${d}H${edge.toFixed(1)}`;
}
