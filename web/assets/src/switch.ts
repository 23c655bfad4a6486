// The choice of theme: by day, by night, or as the system says.
import { all } from "./dom";

const key = "parley-theme";

export function themes(): void {
  const root = document.documentElement;
  const mark = () => {
    const now = root.dataset["theme"] ?? "";
    for (const button of all<HTMLButtonElement>(document, "[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset["setTheme"] === now));
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-set-theme]") : null;
    if (!button) return;
    const theme = button.dataset["setTheme"] ?? "";
    if (theme) root.dataset["theme"] = theme;
    else delete root.dataset["theme"];
    try {
      if (theme) localStorage.setItem(key, theme);
      else localStorage.removeItem(key);
    } catch {
      // storage is off: the choice lasts until the next page
    }
    mark();
  });
  mark();
}
