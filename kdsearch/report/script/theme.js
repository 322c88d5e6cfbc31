// Light or dark: as the system asks, until the reader says otherwise.

function themed() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  if (!button) return;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", "dark colours");
  };
  button.hidden = false;
  button.onclick = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("kdsearch-theme", root.dataset.theme);
    } catch {
      // a browser that keeps nothing: the choice lasts as long as the page
    }
    show();
  };
  system.onchange = show;
  show();
}

try {
  const chosen = localStorage.getItem("kdsearch-theme");
  if (["light", "dark"].includes(chosen)) document.documentElement.dataset.theme = chosen;
} catch {
  // as above
}
themed();
