// One slider and one field a quantity: what a student may cost at most, or must reach at least.

const STEPS = 100;
const IN = { milliseconds: "ms", microjoules: "µJ", percent: "0 to 1" };

/** Every quantity that may be bound, of all runs; what the searches compared by comes first. */
function boundable(choices) {
  const found = new Map();
  for (const run of choices) {
    for (const one of run.quantities) {
      const known = found.get(one.name);
      if (one.bound) found.set(one.name, known ? { ...known, asked: known.asked || one.asked } : one);
    }
  }
  return [...found.values()].sort((a, b) => b.asked - a.asked);
}

/** The values a slider runs through: from what no student keeps to what all keep. */
function travel(choices, quantity) {
  const values = choices
    .flatMap((run) => run.candidates.map((one) => one.guaranteed[quantity.name]))
    .filter((one) => Number.isFinite(one));
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  if (!quantity.scored && low > 0) return { low: low * 0.9, high: Math.max(high, low * 1.01), log: true };
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.05;
  return quantity.maximised ? { low, high: high + room, log: false } : { low: low - room, high, log: false };
}

/** Three digits, never on the far side of a student that just keeps it. */
function roundedTo(value, up) {
  if (value === 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  const whole = up ? Math.ceil(value / step - 1e-9) : Math.floor(value / step + 1e-9);
  return Number((whole * step).toPrecision(12));
}

/** The text of a bound at this place of its slider; empty where it is off. */
function textAt(place, range, quantity) {
  const off = quantity.maximised ? 0 : STEPS;
  if (place === off) return "";
  const share = quantity.maximised ? place / STEPS : place / (STEPS - 1);
  const value = range.log
    ? range.low * (range.high / range.low) ** share
    : range.low + (range.high - range.low) * share;
  const rounded = roundedTo(value, !quantity.maximised);
  return String(rounded > 0 || quantity.own ? rounded : roundedTo(value + 1e-9, true) || 1e-6);
}

/** Where the slider stands for a bound's limit. */
function placeAt(limit, range, quantity) {
  const inner = range.log ? (value) => Math.log(Math.max(value, 1e-300)) : (value) => value;
  const share = (inner(limit) - inner(range.low)) / (inner(range.high) - inner(range.low));
  const [least, most] = quantity.maximised ? [1, STEPS] : [0, STEPS - 1];
  const place = quantity.maximised ? share * STEPS : share * (STEPS - 1);
  return Math.min(most, Math.max(least, Math.round(place)));
}

/** Draws the controls into `host`. `texts`: what stands in each field; `changed()` after each. */
function controls(host, choices, texts, changed) {
  const rows = boundable(choices).map((one, rank) => control(choices, one, rank, texts, changed));
  const main = rows.filter((_, rank) => boundable(choices)[rank].asked);
  const others = rows.slice(main.length);
  host.replaceChildren(html("h3", {}, "Budget"), ...main);
  if (others.length) {
    const more = html("details", { class: "more", id: "more-bounds" }, html("summary", {}, "Bound something else"), ...others);
    more.open = others.some((one) => texts[one.dataset.bound]) || !main.length;
    host.append(more);
  }
  const reset = html("button", { type: "button", class: "reset" }, "No bounds");
  reset.addEventListener("click", () => {
    for (const name of Object.keys(texts)) delete texts[name];
    for (const one of host.querySelectorAll(".bound")) one.refresh();
    changed();
  });
  host.append(reset);
}

function control(choices, quantity, rank, texts, changed) {
  const range = travel(choices, quantity);
  const side = quantity.maximised ? "at least" : "at most";
  const unit = IN[quantity.unit] ? `, ${IN[quantity.unit]}` : "";
  const label = html("label", { for: `bound-${rank}` }, quantity.title, html("small", {}, `${side}${unit}`));
  const slider = html("input", { type: "range", id: `bound-${rank}`, min: 0, max: STEPS, step: 1 });
  const share = quantity.scored ? "" : ", or a share of the largest student's such as 60%";
  const field = html("input", {
    type: "text",
    inputmode: "decimal",
    placeholder: "any",
    autocomplete: "off",
    "aria-label": `${quantity.name} ${side}${share}`,
  });
  const wrong = html("small", { class: "wrong", role: "alert" });
  const box = html("div", { class: "bound", "data-bound": quantity.name }, label, field, slider, wrong);
  box.refresh = () => {
    const text = texts[quantity.name] ?? "";
    if (document.activeElement !== field) field.value = text;
    const limit = limitText(choices, quantity, text);
    slider.value = limit === null ? (quantity.maximised ? 0 : STEPS) : placeAt(limit, range, quantity);
    const said = limit === null ? "any" : `${side} ${amount(quantity.unit, limit)}`;
    slider.setAttribute("aria-valuetext", said);
    box.classList.toggle("on", limit !== null);
  };
  const set = (text) => {
    if (text) texts[quantity.name] = text;
    else delete texts[quantity.name];
  };
  slider.addEventListener("input", () => {
    set(textAt(Number(slider.value), range, quantity));
    field.removeAttribute("aria-invalid");
    wrong.textContent = "";
    box.refresh();
    changed();
  });
  field.addEventListener("input", () => {
    try {
      const bound = parsed(quantity, field.value);
      if (bound?.relative && !choices.some((run) => run.largest[quantity.name] > 0)) {
        throw new Error("no share of it is known; give a number");
      }
      wrong.textContent = "";
      field.removeAttribute("aria-invalid");
      set(field.value.trim());
    } catch (error) {
      wrong.textContent = error.message;
      field.setAttribute("aria-invalid", "true");
      set("");
    }
    box.refresh();
    changed();
  });
  box.refresh();
  return box;
}

function limitText(choices, quantity, text) {
  const bound = text ? parsed(quantity, text) : null;
  if (!bound) return null;
  const run = choices.find((one) => one.largest[quantity.name] > 0) ?? choices[0];
  return limitOf(bound, run);
}

/** The bounds that stand in the fields. */
function boundsOf(choices, texts) {
  return boundable(choices)
    .filter((one) => texts[one.name])
    .map((one) => parsed(one, texts[one.name]));
}
