// The front as a place to decide: axes of one's choice, bounds, and their answer in the page.

/** What the reader has set, kept while the page is drawn anew. */
const settings = { texts: {}, x: null, y: null, view: null, shows: { trials: true, intervals: true } };

function start() {
  const source = document.getElementById("choices");
  const host = document.getElementById("decide");
  if (!source || !host) return;
  const choices = JSON.parse(source.textContent);
  if (!choices.some((run) => run.candidates.length || run.trials.length)) return;
  const all = allQuantities(choices);
  const drawable = all.filter((one) => hasValues(choices, one));
  if (drawable.length < 2) return;
  const state = Object.assign(settings, { choices, bounds: [], answers: [] });
  state.y = drawable.find((one) => one.name === state.y?.name) ?? drawable.find((one) => one.name === choices[0].leading) ?? drawable[0];
  state.x =
    drawable.find((one) => one.name === state.x?.name) ??
    drawable.find((one) => one.asked && !one.scored) ??
    drawable.find((one) => one !== state.y);
  const parts = frame(state, drawable);
  host.replaceChildren(...parts.all);
  host.hidden = false;
  document.querySelectorAll(".static-front").forEach((one) => {
    one.hidden = true;
  });
  animated(state, parts);
}

function allQuantities(choices) {
  const found = new Map();
  for (const one of choices.flatMap((run) => run.quantities)) {
    if (!found.get(one.name)?.asked) found.set(one.name, one);
  }
  return [...found.values()];
}

function hasValues(choices, quantity) {
  return choices.some((run) =>
    [...run.candidates, ...run.trials].some((one) => Number.isFinite(one.values[quantity.name])),
  );
}

/** The elements, empty of what follows from the state. */
function frame(state, quantities) {
  const axis = (name, label) => {
    const options = quantities.map((one) => {
      const option = html("option", { value: one.name }, one.title);
      option.selected = one.name === state[name].name;
      return option;
    });
    const select = html("select", { id: `axis-${name}` }, ...options);
    return { select, box: html("label", { class: "axis" }, `${label} `, select) };
  };
  const [y, x] = [axis("y", "up"), axis("x", "across")];
  const button = (name, sign, label) => html("button", { type: "button", class: name, "aria-label": label, title: label }, sign);
  const zoom = html(
    "div",
    { class: "zooms", role: "group", "aria-label": "zoom" },
    button("zoom-in", "+", "zoom in"),
    button("zoom-out", "−", "zoom out"),
    button("zoom-reset", "Reset", "show everything"),
  );
  const shows = html("div", { class: "shows" });
  for (const [name, label] of [["trials", "trials"], ["intervals", "intervals"]]) {
    const box = html("input", { type: "checkbox", name });
    box.checked = state.shows[name];
    box.addEventListener("change", () => {
      state.shows[name] = box.checked;
      state.redraw();
    });
    shows.append(html("label", {}, box, ` ${label}`));
  }
  const tools = html("div", { class: "tools" }, y.box, x.box, shows, zoom);
  const svg = made("svg", { class: `chart live-chart${state.choices.length > 1 ? " several" : ""}`, role: "group", "aria-label": "the front; each student is a link", tabindex: "-1" });
  const tip = html("div", { class: "tip", role: "status" });
  tip.hidden = true;
  const canvas = html("div", { class: "canvas" }, svg, tip);
  const hint = html("p", { class: "hint" }, "Drag a box to zoom, or hold Ctrl and turn the wheel; a double click shows everything. With the keyboard: Tab to a student, then + and −, 0 and the arrows.");
  const bounds = html("div", { class: "bounds", role: "group", "aria-label": "budget" });
  const said = html("p", { class: "verdict", role: "status", "aria-live": "polite" });
  const more = html("div", { class: "found" });
  const answer = html("div", { class: "answer" }, said, more);
  const legend = html("p", { class: "keys" });
  if (state.choices.length > 1) {
    state.choices.forEach((run, rank) => legend.append(html("span", {}, key(rank), ` ${run.run}`)));
  }
  const picture = html("div", { class: "picture" }, tools, legend, canvas, hint);
  return { all: [html("div", { class: "desk" }, picture, bounds), answer], x: x.select, y: y.select, svg, tip, canvas, bounds, said, more, zoom };
}

/** Everything that follows from the state, now and after each change. */
function animated(state, parts) {
  let plan = null;
  state.redraw = () => {
    const focused = document.activeElement?.closest?.("[data-student]");
    const width = Math.max(280, Math.floor(parts.canvas.clientWidth));
    plan = draw(parts.svg, state, width);
    if (!focused) return;
    const { student, run } = focused.dataset;
    const again = parts.svg.querySelector(`[data-student="${CSS.escape(student)}"][data-run="${run}"]`);
    (again ?? parts.svg).focus({ preventScroll: true }); // out of the picture: keys go on working
  };
  const answer = () => {
    state.bounds = boundsOf(state.choices, state.texts);
    state.answers = state.choices.map((run) => answered(run, state.bounds));
    told(state, parts);
    lightUp(state);
    state.redraw();
  };
  for (const name of ["x", "y"]) {
    parts[name].addEventListener("change", () => {
      state[name] = allQuantities(state.choices).find((one) => one.name === parts[name].value);
      state.view = null;
      state.redraw();
    });
  }
  controls(parts.bounds, state.choices, state.texts, answer);
  answer();
  tipped(parts.svg, parts.tip, () => plan, () => state);
  zoomed(parts.svg, parts.zoom, () => plan, (view) => {
    state.view = view;
    state.redraw();
  });
  new ResizeObserver(() => {
    if (plan && Math.floor(parts.canvas.clientWidth) !== plan.width) state.redraw();
  }).observe(parts.canvas);
}

function told(state, parts) {
  const { answers, bounds } = state;
  if (answers.length === 1) {
    parts.said.replaceChildren(...verdict(answers[0], bounds));
    parts.more.replaceChildren(...answerParts(answers[0], bounds));
    parts.said.classList.toggle("none-keeps", !answers[0].best);
    return;
  }
  const found = answers.filter((one) => one.best).length;
  parts.said.replaceChildren(`${found} of ${answers.length} runs have a student within the bounds.`);
  parts.more.replaceChildren(...answersTable(answers, bounds));
}

/** Rows and cards of the page: those beyond the bounds step back. */
function lightUp(state) {
  for (const answer of state.answers) {
    for (const candidate of answer.run.candidates) {
      if (!candidate.card) continue;
      for (const id of [candidate.card, candidate.card.replace("card-", "student-")]) {
        const shown = document.getElementById(id);
        shown?.classList.toggle("out", !answer.within.includes(candidate));
        shown?.classList.toggle("best", answer.best === candidate);
      }
    }
  }
}

/** A link to a card opens it. */
function opened() {
  const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (card?.matches("details")) {
    card.open = true;
    card.scrollIntoView({ block: "nearest" });
  }
}

addEventListener("hashchange", opened);
start();
opened();
