// The answer in words: who is best within the bounds, how much room is left, what to type.

function shell(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** The command that hands the answer over. */
function commandOf({ run, best }, bounds) {
  if (!bounds.length) return `kdsearch export ${run.command} --student ${shell(best.id)} --to student`;
  const asked = bounds.map((one) => `--${one.upper ? "max" : "min"} ${shell(`${one.name}=${one.text}`)}`);
  return `kdsearch deliver ${run.command} ${asked.join(" ")} --to student`;
}

function boundWords(run, bound) {
  const quantity = quantityOf(run, bound.name);
  const limit = amount(quantity?.unit, limitOf(bound, run));
  const share = bound.relative ? ` (${bound.text})` : "";
  return `${quantity?.title ?? bound.name} ${bound.upper ? "at most" : "at least"} ${limit}${share}`;
}

function quantityOf(run, name) {
  return run.quantities.find((one) => one.name === name);
}

function shareWords(share) {
  return share < 10 ? `${(share * 100).toFixed(1)} %` : `${(share + 1).toFixed(0)} times as much`;
}

/** One sentence, read out when it changes. */
function verdict(answer, bounds) {
  const { run, within, best, nearest } = answer;
  const several = `${run.candidates.length} student${run.candidates.length === 1 ? "" : "s"}`;
  if (!run.candidates.length) return ["There is no student yet."];
  const so = run.published ? "" : " so far";
  if (best) {
    const among = bounds.length ? `${within.length} of ${several} within the bounds` : several;
    return [html("b", {}, best.id), ` is the best of ${among}${so}.`];
  }
  const bound = bounds.find((one) => one.name === nearest.name);
  if (nearest.excess === Infinity) return [`No student's ${nearest.name} is known in this run.`];
  const side = bound.upper ? "beyond" : "short";
  const value = amount(quantityOf(run, bound.name).unit, nearest.candidate.guaranteed[bound.name]);
  const far = nearest.excess < 10 ? `${shareWords(nearest.excess)} ${side}` : shareWords(nearest.excess);
  return [
    html("b", {}, "No student"),
    ` keeps ${boundWords(run, bound)}. Nearest is `,
    html("b", {}, nearest.candidate.id),
    ` with ${value}, ${far}.${leastWords(run, bound)}`,
  ];
}

/** How far one could go at all. */
function leastWords(run, bound) {
  const quantity = quantityOf(run, bound.name);
  const known = run.candidates.map((one) => one.guaranteed[bound.name]).filter(Number.isFinite);
  if (!bound.upper) return ` The best student has ${amount(quantity.unit, Math.max(...known))}.`;
  const smallest = run.smallest[bound.name];
  if (smallest === undefined) return ` The best student has ${amount(quantity.unit, Math.min(...known))}.`;
  return ` The least in the space is ${amount(quantity.unit, Math.min(smallest, ...known))}.`;
}

function answerParts(answer, bounds) {
  const { run, best, margins } = answer;
  if (!best) return [];
  const shown = run.quantities.filter(
    (one) => one.asked || one.name === "test_accuracy" || one.name === "params" || bounds.some((b) => b.name === one.name),
  );
  const numbers = shown.map((one) => html("div", {}, ...row(one, best)));
  const parts = [html("dl", { class: "numbers" }, ...numbers)];
  if (margins.length) {
    const items = margins.map(([bound, left]) => {
      const said = best.predicted.includes(bound.name) ? ", predicted" : "";
      const kept = `${amount(quantityOf(run, bound.name).unit, best.guaranteed[bound.name])}${said}`;
      const sure = sureWords(confidence(run, best, bound));
      return html("li", {}, `${boundWords(run, bound)}: ${shareWords(left)} of room (held against ${kept})${sure}`);
    });
    parts.push(html("ul", { class: "margins" }, ...items));
  }
  if (best.alike.length) {
    const others = best.alike.join(", ");
    const title = quantityOf(run, run.leading).title;
    parts.push(html("p", { class: "note" }, `These images do not tell its ${title} apart from that of ${others}.`));
  }
  if (run.published) parts.push(commandLine(commandOf(answer, bounds)));
  return parts;
}

function commandLine(text) {
  const field = html("input", { type: "text", readonly: "", value: text, "aria-label": "command that hands this student over" });
  const button = html("button", { type: "button" }, "Copy");
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      field.select(); // pages from a file have no clipboard in some browsers
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  });
  return html("div", { class: "command" }, field, button);
}

/** Of several runs: a row each. */
function answersTable(answers, bounds) {
  const leading = answers[0].run.leading;
  const columns = [leading, ...bounds.map((one) => one.name).filter((name) => name !== leading)];
  const title = (name) => answers.map(({ run }) => quantityOf(run, name)).find((one) => one)?.title ?? name;
  const head = html("tr", {}, ...["run", "best student", ...columns.map(title)].map((t) => html("th", { scope: "col" }, t)));
  const rows = answers.map((answer) => {
    const { run, best } = answer;
    const cells = best
      ? [best.id, ...columns.map((name) => amount(quantityOf(run, name)?.unit, best.values[name]))]
      : [html("span", {}, ...verdict(answer, bounds))];
    const rank = answers.indexOf(answer);
    const cut = cells.map((cell) => html("td", cells.length === 1 ? { colspan: columns.length + 1 } : {}, cell));
    return html("tr", { "data-run": rank }, html("th", { scope: "row" }, key(rank), ` ${run.run}`), ...cut);
  });
  const table = html("table", { class: "plain answers" }, html("thead", {}, head), html("tbody", {}, ...rows));
  const commands = answers.filter((one) => one.best && one.run.published).map((one) => commandLine(commandOf(one, bounds)));
  return [html("div", { class: "scroll" }, table), ...commands];
}

/** The mark of a run, for a legend. */
function key(rank) {
  const svg = made("svg", { class: "chart key", viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" });
  svg.append(shaped(rank, 0, 0, RADIUS, `student end${(rank % 8) + 1}`));
  return svg;
}
