// The picture: candidates and trials on two axes of the reader's choice.

const ROOM = { top: 14, right: 14, bottom: 34, left: 58 };
const RADIUS = 5.5;

/** What is drawn where, for the pointer and the keyboard: see `draw`. */
function layout(state, width) {
  const height = Math.round(Math.min(540, Math.max(340, width * 0.62)));
  const frame = { left: ROOM.left, top: ROOM.top, right: width - ROOM.right, bottom: height - ROOM.bottom };
  const full = { x: shownRange(state, state.x, false), y: shownRange(state, state.y, true) };
  const range = state.view ?? full;
  const x = scaleOf(range.x, frame.left, frame.right);
  const y = scaleOf(range.y, frame.bottom, frame.top);
  const inside = (one) =>
    one.x >= frame.left - 1 && one.x <= frame.right + 1 && one.y >= frame.top - 1 && one.y <= frame.bottom + 1;
  const placed = (values) => {
    const [a, b] = [values[state.x.name], values[state.y.name]];
    if (!Number.isFinite(a) || !Number.isFinite(b) || (range.x.log && a <= 0) || (range.y.log && b <= 0)) return null;
    return { x: x(a), y: y(b) };
  };
  const spots = [];
  state.choices.forEach((run, rank) => {
    for (const candidate of run.candidates) {
      const place = placed(candidate.values);
      if (place) spots.push({ run, rank, candidate, ...place, isInside: inside(place) });
    }
  });
  const dots = [];
  for (const run of state.shows.trials ? state.choices : []) {
    for (const trial of run.trials) {
      const place = placed(trial.values);
      if (place && inside(place)) dots.push({ run, trial, ...place });
    }
  }
  return { width, height, frame, range, full, x, y, spots, dots };
}

/** Of the candidates with their intervals; of the trials as far as the candidates stay readable. */
function shownRange(state, quantity, isUp) {
  const values = [];
  const others = [];
  for (const run of state.choices) {
    for (const one of run.candidates) {
      values.push(one.values[quantity.name], ...(one.intervals[quantity.name] ?? []));
    }
    for (const one of run.trials) others.push(one.values[quantity.name]);
    if (run.teacher[quantity.name] !== undefined && isUp) values.push(run.teacher[quantity.name]);
  }
  const known = values.filter((one) => Number.isFinite(one));
  if (!known.length) return ranged(others, quantity);
  if (!state.shows.trials) return ranged(known, quantity);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (quantity.scored) {
    const most = Math.max(0.6 * (high - low), 0.02);
    return ranged([...known, ...others.filter((one) => one > low - most && one < high + most)], quantity);
  }
  return ranged([...known, ...others], quantity);
}

/** Draws the chart anew and returns its layout. */
function draw(svg, state, width) {
  const plan = layout(state, width);
  svg.setAttribute("viewBox", `0 0 ${width} ${plan.height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", plan.height);
  const clip = made("clipPath", { id: "frame" }, made("rect", boxOf(plan.frame)));
  const within = made("g", { "clip-path": "url(#frame)" });
  within.append(...beyond(state, plan), ...plan.dots.map(dotOf), ...reach(state, plan));
  within.append(...plan.spots.flatMap((spot) => barsOf(state, plan, spot)));
  const marks = made("g", { class: "candidates" }, ...plan.spots.filter((s) => s.isInside).map((s) => markOf(state, s)));
  svg.replaceChildren(clip, ...axisParts(state, plan), within, marks, ...names(state, plan));
  return plan;
}

function boxOf(frame) {
  return { x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top };
}

function axisParts(state, { frame, range, x, y, width }) {
  const parts = [];
  for (const tick of ticksOf(range.y, 5)) {
    parts.push(ruled(frame.left, y(tick), frame.right, y(tick), "grid"));
    parts.push(written(amount(state.y.unit, tick), frame.left - 8, y(tick) + 4, { "text-anchor": "end" }));
  }
  parts.push(ruled(frame.left, frame.bottom, frame.right, frame.bottom, "base"));
  let reached = -Infinity;
  for (const tick of ticksOf(range.x, width < 500 ? 4 : 7)) {
    const name = amount(state.x.unit, tick);
    const [at, half] = [x(tick), name.length * 3.4];
    parts.push(ruled(at, frame.bottom, at, frame.bottom + 5, "base"));
    if (at - half < reached + 6) continue;
    parts.push(written(name, Math.min(at, width - half - 2), frame.bottom + 20, { "text-anchor": "middle" }));
    reached = at + half;
  }
  return parts;
}

/** What the bounds shut out, the config's own budget, and the teacher. */
function beyond(state, { frame, range, x, y }) {
  const parts = [];
  for (const [axis, quantity] of [["x", state.x], ["y", state.y]]) {
    const at = axis === "x" ? x : y;
    for (const bound of state.bounds.filter((one) => one.name === quantity.name)) {
      if (bound.relative && state.choices.length > 1) continue; // each run has its own
      const limit = limitOf(bound, state.choices[0]);
      if (!Number.isFinite(limit) || (range[axis].log && limit <= 0)) continue;
      const [low, high] = axis === "x" ? [frame.left, frame.right] : [frame.top, frame.bottom];
      const place = Math.min(high, Math.max(low, at(limit)));
      const after = (axis === "x") === bound.upper;
      const [from, to] = after ? [place, high] : [low, place];
      const box = { ...frame };
      if (axis === "x") Object.assign(box, { left: from, right: to });
      else Object.assign(box, { top: from, bottom: to });
      parts.push(made("rect", { ...boxOf(box), class: "beyond" }));
      const ends = axis === "x" ? [place, frame.top, place, frame.bottom] : [frame.left, place, frame.right, place];
      parts.push(ruled(...ends, "limit"));
    }
  }
  for (const run of state.choices) {
    const [taught, budget] = [run.teacher[state.y.name], run.limits[state.x.name]];
    if (Number.isFinite(taught) && state.choices.length === 1) {
      parts.push(ruled(frame.left, y(taught), frame.right, y(taught), "teacher"));
      parts.push(written(`teacher ${amount(state.y.unit, taught)}`, frame.left + 6, y(taught) - 6, { class: "halo" }));
    }
    if (Number.isFinite(budget) && state.choices.length === 1 && x(budget) < frame.right) {
      parts.push(ruled(x(budget), frame.top, x(budget), frame.bottom, "teacher"));
      parts.push(written("budget", x(budget) + 5, frame.bottom - 8, { class: "halo" }));
    }
  }
  return parts;
}

function dotOf({ trial, x, y }) {
  const radius = { screened: 2.4, trained: 3.4 }[trial.state] ?? 3;
  const name = trial.state === "running" ? "stopped" : trial.state;
  return made("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: radius, class: name });
}

function reach(state, { frame, spots }) {
  const towardX = state.x.maximised ? -1 : 1;
  const edge = state.x.maximised ? frame.left : frame.right;
  return state.choices.map((run, rank) => {
    const own = spots.filter((spot) => spot.rank === rank);
    const d = stairs(own, towardX, state.y.maximised ? 1 : -1, edge);
    const name = state.choices.length > 1 ? `curve line${(rank % 8) + 1}` : "stairs";
    return made("path", { d: d ?? "M0 0", class: name, fill: "none" });
  });
}

function isOut(state, { rank, candidate }) {
  return !state.answers[rank].within.includes(candidate);
}

function barsOf(state, { x, y, range }, spot) {
  const { candidate } = spot;
  if (!state.shows.intervals) return [];
  const ends = (quantity, at, log) => {
    const known = candidate.intervals[quantity.name];
    return known && known.every((end) => Number.isFinite(end) && (!log || end > 0)) ? known.map(at) : null;
  };
  const parts = errorBars(ends(state.x, x, range.x.log), ends(state.y, y, range.y.log), spot.x, spot.y);
  const line = state.choices.length > 1 ? ` line${(spot.rank % 8) + 1}` : "";
  return [made("g", { class: `bars-of${isOut(state, spot) ? " out" : ""}${line}` }, ...parts)];
}

/** A link to the student's card: reached by Tab, read out with its numbers. */
function markOf(state, spot) {
  const { run, rank, candidate, x, y } = spot;
  const out = isOut(state, spot);
  const best = state.answers[rank].best === candidate;
  const end = state.choices.length > 1 ? ` end${(rank % 8) + 1}` : "";
  const parts = [shaped(rank, x, y, out ? RADIUS - 1.5 : RADIUS, `student${end}`)];
  if (best) parts.unshift(made("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: RADIUS + 5, class: "ring" }));
  const words = [state.x, state.y].map((q) => `${q.title} ${amount(q.unit, candidate.values[q.name])}`);
  const where = state.choices.length > 1 ? ` of ${run.run}` : "";
  const keeps = out ? "beyond the bounds" : best ? "the best within the bounds" : "within the bounds";
  return made(
    "a",
    {
      href: candidate.card ? `#${candidate.card}` : null,
      tabindex: 0,
      role: candidate.card ? null : "img",
      "data-student": candidate.id,
      "data-run": rank,
      class: `candidate ${out ? "out" : "within"}${best ? " best" : ""}`,
      "aria-label": `${candidate.id}${where}: ${words.join(", ")}; ${keeps}`,
    },
    ...parts,
  );
}

/** Ids, as many as find room: the best ones' first, then the ends'. */
function names(state, { frame, spots }) {
  const shown = spots.filter((spot) => spot.isInside);
  const taken = shown.map(({ x, y }) => [x - 8, y - 8, x + 8, y + 8]);
  const rank = (spot) => {
    if (state.answers[spot.rank].best === spot.candidate) return 0;
    if (spot.candidate.id === spot.run.knee) return 1;
    return isOut(state, spot) ? 3 : 2;
  };
  const parts = [];
  for (const spot of [...shown].sort((a, b) => rank(a) - rank(b))) {
    const label = spot.candidate.id + (spot.candidate.id === spot.run.knee ? " · knee" : "");
    const half = label.length * 3.5;
    const tries = [[0, -14], [0, 22], [half + 12, 4], [-half - 12, 4]];
    const free = tries.map(([dx, dy]) => [spot.x + dx - half, spot.y + dy - 11, spot.x + dx + half, spot.y + dy + 3]).find(
      (box) =>
        box[0] > frame.left && box[2] < frame.right + 10 && box[1] > 0 && box[3] < frame.bottom &&
        taken.every((one) => box[2] < one[0] || one[2] < box[0] || box[3] < one[1] || one[3] < box[1]),
    );
    if (!free) continue;
    taken.push(free);
    const name = `id halo${isOut(state, spot) ? " out" : ""}`;
    parts.push(written(label, (free[0] + free[2]) / 2, free[3] - 3, { "text-anchor": "middle", class: name }));
  }
  return parts;
}
