// Numbers as a person reads them: the same as kdsearch/core/quantities.py writes.

const UNKNOWN = "–";

/** Three significant digits, as Python's '.3g'. */
function general(value) {
  if (value === 0) return "0";
  const [digits, power] = value.toExponential(2).split("e");
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (power >= -4 && power < 3) return trimmed(value.toFixed(2 - power));
  const sign = power < 0 ? "-" : "+";
  return `${trimmed(digits)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

function threeDigits(value) {
  return Math.abs(value) < 999.5 ? general(value) : value.toFixed(0);
}

/** In thousandths, ones or thousands of a unit. */
function scaled(value, [small, one, large]) {
  const size = Math.abs(value);
  if (size < 0.9995) return `${general(value * 1000)} ${small}`;
  return size < 999.5 ? `${threeDigits(value)} ${one}` : `${threeDigits(value / 1000)} ${large}`;
}

function counted(value) {
  if (Math.abs(value) < 999.5) return value.toFixed(0);
  for (const letter of "kMGT") {
    value /= 1000;
    if (Math.abs(value) < 99.95) return `${value.toFixed(1)} ${letter}`;
    if (Math.abs(value) < 999.5 || letter === "T") return `${value.toFixed(0)} ${letter}`;
  }
}

const UNITS = {
  percent: (value) => `${(value * 100).toFixed(1)} %`,
  milliseconds: (value) => scaled(value, ["µs", "ms", "s"]),
  microjoules: (value) => scaled(value, ["nJ", "µJ", "mJ"]),
  count: counted,
  plain_number: general,
};

function amount(unit, value) {
  if (value === null || value === undefined) return UNKNOWN;
  return (UNITS[unit] || general)(value);
}

/** '44.7 to 55.0 %': the unit once where both have it. */
function between(unit, [low, high]) {
  const [first, last] = [amount(unit, low), amount(unit, high)];
  const sign = last.slice(last.lastIndexOf(" "));
  return `${last.includes(" ") && first.endsWith(sign) ? first.slice(0, -sign.length) : first} to ${last}`;
}
