// What is said of a mark under the pointer, or under the keyboard's focus.

let hideTip = () => {};

addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
});

function tipped(svg, tip, plan, state) {
  const show = (spot) => {
    tip.replaceChildren(...(spot.candidate ? ofCandidate(state(), spot) : ofTrial(state(), spot)));
    tip.hidden = false;
    const { width } = plan();
    const left = Math.min(Math.max(4, spot.x - tip.offsetWidth / 2), Math.max(4, width - tip.offsetWidth - 4));
    const above = spot.y - tip.offsetHeight - 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > -40 ? above : spot.y + 16}px`;
  };
  const hide = () => {
    tip.hidden = true;
  };
  svg.addEventListener("pointermove", (event) => {
    const [x, y] = placeOf(svg, event);
    const near = nearestTo(plan().spots.filter((s) => s.isInside), x, y, 22) ?? nearestTo(plan().dots, x, y, 9);
    if (near && event.buttons === 0) show(near);
    else if (!svg.contains(document.activeElement) || event.buttons) hide();
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("focusin", (event) => {
    const mark = event.target.closest("[data-student]");
    if (!mark) return;
    const found = plan().spots.find(
      (one) => one.candidate.id === mark.dataset.student && String(one.rank) === mark.dataset.run,
    );
    if (found) show(found);
  });
  svg.addEventListener("focusout", hide);
  hideTip = hide;
}

function nearestTo(spots, x, y, within) {
  let best = null;
  for (const spot of spots) {
    const far = Math.hypot(spot.x - x, spot.y - y);
    if (far <= within && (!best || far < best.far)) best = { far, spot };
  }
  return best?.spot ?? null;
}

function ofCandidate(state, { run, candidate }) {
  const where = state.choices.length > 1 ? `, ${run.run}` : "";
  const parts = [html("b", {}, `${candidate.id}${where}`)];
  const first = run.quantities.find((one) => one.name === run.leading);
  const shown = [...new Set([state.y, state.x, first])].filter((one) => one);
  const rows = shown.map((q) => row(q, candidate));
  const tested = run.quantities.find((one) => one.name === "test_accuracy");
  if (tested && !shown.includes(tested)) rows.push(row(tested, candidate));
  parts.push(html("dl", {}, ...rows.flat()));
  if (candidate.recipe) parts.push(html("span", { class: "recipe" }, candidate.recipe));
  return parts;
}

function row(quantity, candidate) {
  const ends = candidate.intervals[quantity.name];
  const value = html("dd", {}, amount(quantity.unit, candidate.values[quantity.name]));
  if (candidate.predicted.includes(quantity.name)) value.append(" predicted");
  if (ends) value.append(html("small", {}, ` ${between(quantity.unit, ends)}`));
  return [html("dt", {}, quantity.title), value];
}

function ofTrial(state, { trial }) {
  const rows = [state.y, state.x].flatMap((q) => [
    html("dt", {}, q.title),
    html("dd", {}, amount(q.unit, trial.values[q.name])),
  ]);
  return [html("b", {}, trial.name), html("dl", {}, ...rows), html("span", { class: "recipe" }, trial.note)];
}
