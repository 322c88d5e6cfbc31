// From numbers to places on the screen: linear and logarithmic axes with round ticks.

/** Maps [low, high] to [start, end]; `log`: by the logarithm. */
function scaleOf({ low, high, log }, start, end) {
  const inner = log ? Math.log : (value) => value;
  const [a, b] = [inner(low), inner(high)];
  const at = (value) => start + ((end - start) * (inner(value) - a)) / (b - a);
  at.invert = (place) => {
    const value = a + ((b - a) * (place - start)) / (end - start);
    return log ? Math.exp(value) : value;
  };
  return at;
}

/** The range of an axis that shows all values with some room around. */
function ranged(values, quantity) {
  const known = values.filter((one) => Number.isFinite(one));
  if (!known.length) return { low: 0, high: 1, log: false };
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const log = !quantity.scored && low > 0;
  if (log) {
    const factor = Math.max((high / low) ** 0.06, ((1.6 * low) / high) ** 0.5);
    return { low: low / factor, high: high * factor, log };
  }
  const room = high > low ? (high - low) * 0.07 : Math.abs(low) * 0.1 || 0.5;
  return { low: low - room, high: high + room, log };
}

function ticksOf(range, about) {
  return range.log ? logTicks(range, about) : niceTicks(range, about);
}

function niceTicks({ low, high }, about) {
  const decade = Math.floor(Math.log10((high - low) / about));
  let best = [];
  for (const power of [decade, decade + 1]) {
    for (const digit of [1, 2, 2.5, 5]) {
      const step = Number(`${digit}e${power}`);
      const ticks = [];
      for (let i = Math.ceil(low / step - 1e-9); i <= high / step + 1e-9; i += 1) {
        ticks.push(Number((i * step).toPrecision(12)));
        if (ticks.length > 40) break;
      }
      if (Math.abs(ticks.length - about) < Math.abs(best.length - about)) best = ticks;
    }
  }
  return best;
}

function logTicks({ low, high }, about) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  const inside = ticks.filter((one) => one >= low && one <= high);
  const every = Math.ceil(inside.length / (2 * about));
  const sparse = inside.filter((_, rank) => rank % every === 0);
  return sparse.length >= 3 ? sparse : niceTicks({ low, high }, about);
}
