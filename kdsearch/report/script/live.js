// The page that `kdsearch watch` serves: asks for what is new, and keeps what the reader set.

const EVERY_MS = 1500;

function watched() {
  if (document.documentElement.dataset.live === undefined) return;
  let tag = "";
  let shown = document.documentElement.dataset.live;
  const look = async () => {
    try {
      const reply = await fetch("state", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (reply.status === 200) {
        const now = await reply.json();
        const held = document.querySelector("#decide input:active"); // a slider being moved
        if (now.page !== shown && !held) {
          shown = await renewed();
        }
        if (shown === now.page) tag = reply.headers.get("ETag") ?? "";
        stands(now);
      } else if (reply.status !== 304) throw new Error(String(reply.status));
    } catch {
      stands({ line: "The watch has ended; this is what it showed last.", lost: true });
    }
    setTimeout(look, EVERY_MS);
  };
  look();
}

/** The rest of the page, drawn anew around the reader's own settings; returns its name. */
async function renewed() {
  const text = await (await fetch("./", { cache: "no-store" })).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const open = [...document.querySelectorAll("details[open][id]")].map((one) => one.id);
  const focus = focusPath();
  const place = scrollY;
  const holder = document.querySelector("main");
  const parts = [...page.querySelector("main").childNodes];
  holder.replaceChildren(...parts.map((one) => document.adoptNode(one)));
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  start();
  themed();
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  scrollTo(0, place);
  return page.documentElement.dataset.live;
}

/** How the focused element is found again. */
function focusPath() {
  const one = document.activeElement;
  if (one?.id) return `#${CSS.escape(one.id)}`;
  const bound = one?.closest?.("[data-bound]");
  if (bound) return `[data-bound="${CSS.escape(bound.dataset.bound)}"] input[type=text]`;
  return one?.dataset?.student ? `[data-student="${CSS.escape(one.dataset.student)}"]` : null;
}

function stands({ line, done, total, busy, lost }) {
  const bar = document.getElementById("now");
  if (!bar) return;
  bar.hidden = false;
  bar.classList.toggle("busy", Boolean(busy));
  bar.classList.toggle("lost", Boolean(lost));
  const said = bar.querySelector("span");
  if (said.textContent !== line) said.textContent = line;
  const meter = bar.querySelector("progress");
  meter.hidden = !total;
  if (total) Object.assign(meter, { max: total, value: done });
}

watched();
