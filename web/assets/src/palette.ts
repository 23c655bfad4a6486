// The palette: the pages of the navigation at once, agents and numbers from the server as one types. The server answers
// GET /search?q=… with HX-Request by a list of links; without script the same form opens the search page.
import { all } from "./dom";

const pause = 120; // ms after the last key before the server is asked

function pages(query: string): HTMLAnchorElement[] {
  const wanted = query.trim().toLocaleLowerCase();
  return all<HTMLAnchorElement>(document, ".side .nav a")
    .filter((a) => (a.querySelector(".label")?.textContent ?? "").toLocaleLowerCase().includes(wanted))
    .slice(0, wanted ? 5 : 8)
    .map((a) => {
      const link = document.createElement("a");
      link.href = a.href;
      const icon = a.querySelector("svg");
      if (icon) link.append(icon.cloneNode(true));
      link.append(a.querySelector(".label")?.textContent ?? "");
      return link;
    });
}

export function palette(): () => void {
  const dialog = document.getElementById("palette");
  if (!(dialog instanceof HTMLDialogElement)) return () => {};
  const input = dialog.querySelector<HTMLInputElement>("input")!;
  const list = dialog.querySelector<HTMLElement>(".palette-list")!;
  const local = list.querySelector<HTMLElement>("[data-local]")!;
  const remote = list.querySelector<HTMLElement>("[data-remote]")!;
  let due: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;

  const options = () => all<HTMLAnchorElement>(list, "a");
  const select = (at: number) => {
    const found = options();
    input.removeAttribute("aria-activedescendant");
    found.forEach((a, i) => {
      a.id = `palette-${i}`;
      a.tabIndex = -1;
      a.setAttribute("role", "option");
      a.setAttribute("aria-selected", String(i === at));
      if (i === at) {
        input.setAttribute("aria-activedescendant", a.id);
        a.scrollIntoView({ block: "nearest" });
      }
    });
  };
  const selected = () => options().findIndex((a) => a.getAttribute("aria-selected") === "true");

  const ask = async () => {
    asked?.abort();
    const query = input.value.trim();
    if (query.length < 2) {
      remote.replaceChildren();
      return;
    }
    asked = new AbortController();
    try {
      const url = `${input.form!.action}?${new URLSearchParams({ q: query })}`;
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: asked.signal });
      if (!answer.ok) return;
      remote.innerHTML = await answer.text(); // from our own server, escaped by its templates
      select(Math.max(selected(), 0));
    } catch {
      // superseded by the next key, or the server is away: Enter still opens the search page
    }
  };
  const refresh = () => {
    local.replaceChildren(...pages(input.value));
    select(0);
    clearTimeout(due);
    due = setTimeout(ask, pause);
  };

  input.addEventListener("input", refresh);
  input.addEventListener("keydown", (event) => {
    const count = options().length;
    if (!count) return;
    if (event.key === "ArrowDown") select((selected() + 1) % count);
    else if (event.key === "ArrowUp") select((selected() - 1 + count) % count);
    else if (event.key === "Enter" && selected() >= 0) options()[selected()]!.click();
    else return;
    event.preventDefault();
  });
  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    refresh();
  };
  document.addEventListener("click", (event) => {
    const opener = event.target instanceof Element ? event.target.closest("[data-search]") : null;
    if (!opener) return;
    event.preventDefault();
    open();
  });
  return open;
}
