// How sure it is that a bound holds, by the rule of kdsearch/core/bounds_confidence.py.

const [Z, Z90] = [1.959963984540054, 1.6448536269514722];
const SURE = 0.999;

/** The normal distribution's share below `steps`: Abramowitz & Stegun 7.1.26, off by 2e-7 at most. */
function below(steps) {
  const x = Math.abs(steps) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const half = (series * Math.exp(-x * x)) / 2;
  return steps > 0 ? 1 - half : half;
}

/** null where nothing is known of how far the value may be off, or it is counted. */
function confidence(run, candidate, bound) {
  const interval = candidate.intervals[bound.name];
  if (!interval) return null;
  const { scored } = run.quantities.find((one) => one.name === bound.name);
  const apart = (from, to) => (!scored && from > 0 && to > 0 ? Math.log(to / from) : to - from);
  const value = candidate.values[bound.name];
  const room = apart(value, limitOf(bound, run));
  const end = room > 0 ? apart(value, interval[1]) : apart(interval[0], value);
  const spread = end / (candidate.predicted.includes(bound.name) ? Z90 : Z);
  const steps = spread > 0 ? room / spread : room ? Math.sign(room) * Infinity : 0;
  const share = below(steps);
  return bound.upper ? share : 1 - share;
}

function sureWords(share) {
  if (share === null) return "";
  return `, holds with ${share > SURE ? `> ${amount("percent", SURE)}` : amount("percent", share)}`;
}
