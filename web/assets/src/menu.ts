// Menus are <details class="menu-box">: they open without script. With it they close on Escape, on a click elsewhere and
// when another opens, and a panel that would leave the window is drawn from the other side.
import { all } from "./dom";

function fit(box: HTMLElement): void {
  const panel = box.querySelector<HTMLElement>(":scope > .panel");
  if (!panel) return;
  panel.style.translate = "";
  const { left, right } = panel.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  if (right > width - 8) panel.style.translate = `${Math.max(width - 8 - right, 8 - left)}px 0`;
  else if (left < 8) panel.style.translate = `${8 - left}px 0`;
}

export function menus(): void {
  const open = () => all<HTMLDetailsElement>(document, "details.menu-box[open]");
  document.addEventListener("toggle", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLDetailsElement) || !box.matches(".menu-box") || !box.open) return;
    for (const other of open()) if (other !== box && !other.contains(box)) other.open = false;
    fit(box);
  }, true);
  document.addEventListener("click", (event) => {
    for (const box of open()) if (event.target instanceof Node && !box.contains(event.target)) box.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const box of open()) {
      box.open = false;
      if (box.contains(document.activeElement)) box.querySelector("summary")?.focus();
    }
  });
}
