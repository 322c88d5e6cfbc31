// Zooming: buttons, keys, a dragged box, Ctrl and the wheel.

/** The range that `share` of the old one takes, around a value. */
function narrowed({ low, high, log }, around, share) {
  const [inner, outer] = log ? [Math.log, Math.exp] : [(v) => v, (v) => v];
  const [a, b, c] = [inner(low), inner(high), inner(around)];
  return { low: outer(c - (c - a) * share), high: outer(c + (b - c) * share), log };
}

function moved({ low, high, log }, share) {
  const [inner, outer] = log ? [Math.log, Math.exp] : [(v) => v, (v) => v];
  const [a, b] = [inner(low), inner(high)];
  const by = (b - a) * share;
  return { low: outer(a + by), high: outer(b + by), log };
}

/** Not so far in that pixels run out, nor beyond the whole picture. */
function kept(view, full) {
  const width = (range) => (range.log ? Math.log(range.high / range.low) : range.high - range.low);
  for (const axis of ["x", "y"]) {
    if (!(width(view[axis]) > width(full[axis]) * 1e-4)) return full;
    if (width(view[axis]) >= width(full[axis]) * 0.999) view = { ...view, [axis]: full[axis] };
  }
  return view.x === full.x && view.y === full.y ? null : view;
}

/** Buttons, keys, wheel and drag on `svg`; `look(view)` shows another part of the picture. */
function zoomed(svg, host, plan, look) {
  const by = (share, at) => {
    const { frame, range, full, x, y } = plan();
    const [px, py] = at ?? focusedPlace(svg, plan()) ?? [(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2];
    look(kept({ x: narrowed(range.x, x.invert(px), share), y: narrowed(range.y, y.invert(py), share) }, full));
  };
  const pan = (dx, dy) => {
    const { range, full } = plan();
    look(kept({ x: moved(range.x, dx), y: moved(range.y, dy) }, full));
  };
  host.querySelector(".zoom-in").addEventListener("click", () => by(0.6));
  host.querySelector(".zoom-out").addEventListener("click", () => by(1 / 0.6));
  host.querySelector(".zoom-reset").addEventListener("click", () => look(null));
  const keys = {
    "+": () => by(0.7),
    "=": () => by(0.7),
    "-": () => by(1 / 0.7),
    0: () => look(null),
    ArrowLeft: () => pan(-0.15, 0),
    ArrowRight: () => pan(0.15, 0),
    ArrowUp: () => pan(0, 0.15),
    ArrowDown: () => pan(0, -0.15),
  };
  svg.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  svg.addEventListener("dragstart", (event) => event.preventDefault()); // marks are links
  svg.addEventListener("dblclick", () => look(null));
  svg.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      by(event.deltaY > 0 ? 1.18 : 1 / 1.18, placeOf(svg, event));
    },
    { passive: false },
  );
  boxed(svg, plan, look);
}

/** Of the student under the keyboard's focus: one zooms in on it. */
function focusedPlace(svg, { spots }) {
  const mark = svg.contains(document.activeElement) && document.activeElement.dataset;
  const found = mark && spots.find((one) => one.candidate.id === mark.student && String(one.rank) === mark.run);
  return found ? [found.x, found.y] : null;
}

function placeOf(svg, event) {
  const box = svg.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Drag a box with the mouse to see what is in it. */
function boxed(svg, plan, look) {
  let from = null;
  let drawn = null;
  const ended = () => {
    drawn?.remove();
    [from, drawn] = [null, null];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    from = placeOf(svg, event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    const at = placeOf(svg, event);
    if (!drawn && Math.hypot(at[0] - from[0], at[1] - from[1]) < 6) return;
    if (!drawn) {
      drawn = svg.appendChild(made("rect", { class: "dragged" }));
      svg.setPointerCapture(event.pointerId);
    }
    const corner = [Math.min(at[0], from[0]), Math.min(at[1], from[1])];
    const size = [Math.abs(at[0] - from[0]), Math.abs(at[1] - from[1])];
    Object.entries({ x: corner[0], y: corner[1], width: size[0], height: size[1] }).forEach((pair) =>
      drawn.setAttribute(...pair),
    );
  });
  svg.addEventListener("pointerup", (event) => {
    if (drawn) {
      const { full, range, x, y } = plan();
      const at = placeOf(svg, event);
      const [xs, ys] = [0, 1].map((i) => [at[i], from[i]].sort((a, b) => a - b));
      if (xs[1] - xs[0] > 8 && ys[1] - ys[0] > 8) {
        const box = { x: { low: x.invert(xs[0]), high: x.invert(xs[1]), log: range.x.log } };
        box.y = { low: y.invert(ys[1]), high: y.invert(ys[0]), log: range.y.log };
        look(kept(box, full));
      }
    }
    ended();
  });
  svg.addEventListener("pointercancel", ended);
}
