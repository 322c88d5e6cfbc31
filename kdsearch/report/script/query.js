// The answer to a query, by the rules of kdsearch/pipeline/query.py and core/budget.py.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A bound from what a person wrote: '5' or '60%'; null for an empty text.
 *  Throws an Error that says what is wrong. */
function parsed(quantity, text) {
  const raw = text.trim();
  if (!raw) return null;
  const relative = raw.endsWith("%");
  const digits = relative ? raw.slice(0, -1).trim() : raw;
  const value = NUMBER.test(digits) ? Number(digits) : NaN;
  if (!Number.isFinite(value) || (value <= 0 && !quantity.own)) {
    throw new Error("a number above 0, or a share like 60%");
  }
  if (relative && quantity.scored) throw new Error("a score is absolute, for example 0.9");
  if (quantity.scored && !quantity.own && value > 1) throw new Error("at most 1, for example 0.9");
  const upper = !quantity.maximised;
  return { name: quantity.name, value: relative ? value / 100 : value, relative, upper, text: raw };
}

function limitOf(bound, run) {
  return bound.relative ? bound.value * run.largest[bound.name] : bound.value;
}

/** By how much each broken bound is missed, as a share of its limit. */
function missedBy(bounds, values, run) {
  const missed = {};
  for (const bound of bounds) {
    const limit = limitOf(bound, run);
    const value = values[bound.name];
    // what a run does not know, it cannot promise
    if (value === undefined || value === null || limit === undefined || Number.isNaN(limit)) {
      missed[bound.name] = Infinity;
      continue;
    }
    const excess = (value - limit) * (bound.upper ? 1 : -1);
    if (excess > 0) missed[bound.name] = excess / (Math.abs(limit) || 1);
  }
  return missed;
}

function room(bound, values, run) {
  const limit = limitOf(bound, run);
  const left = bound.upper ? limit - values[bound.name] : values[bound.name] - limit;
  return left / (Math.abs(limit) || 1);
}

/** Who keeps every bound, best first; where nobody does, who comes nearest and what binds. */
function answered(run, bounds) {
  const rows = run.candidates.map((candidate) => ({
    candidate,
    missed: missedBy(bounds, candidate.guaranteed, run),
  }));
  const within = rows.filter((row) => !Object.keys(row.missed).length).map((r) => r.candidate);
  if (!within.length) return { run, within, nearest: nearestOf(rows) };
  const leading = run.quantities.find((one) => one.name === run.leading);
  const sign = leading.maximised ? -1 : 1;
  const key = (one) => [
    sign * one.values[run.leading],
    one.guaranteed.latency_ms ?? Infinity,
    one.id,
  ];
  const before = (a, b) => (a < b ? -1 : Number(a > b));
  within.sort((a, b) => {
    const [ours, theirs] = [key(a), key(b)];
    return ours.reduce((known, value, i) => known || before(value, theirs[i]), 0);
  });
  const margins = bounds.map((bound) => [bound, room(bound, within[0].guaranteed, run)]);
  return { run, within, best: within[0], margins };
}

function nearestOf(rows) {
  if (!rows.length) return null;
  const worst = (row) => Math.max(...Object.values(row.missed));
  const row = rows.reduce((a, b) => (worst(b) < worst(a) ? b : a));
  const [name, excess] = Object.entries(row.missed).reduce((a, b) => (b[1] > a[1] ? b : a));
  return { candidate: row.candidate, name, excess };
}
