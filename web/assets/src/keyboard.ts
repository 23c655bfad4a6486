// Keys: / or Ctrl+K search, ? shows all keys, g and a letter goes to a page (links with data-key), Escape closes.
import { all, typing } from "./dom";

export function keyboard(openSearch: () => void): void {
  let pressedG = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      openSearch();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      openSearch();
    } else if (event.key === "?") {
      const sheet = document.getElementById("keys");
      if (sheet instanceof HTMLDialogElement) sheet.showModal();
    } else if (event.key === "g") {
      pressedG = event.timeStamp;
    } else if (pressedG && event.timeStamp - pressedG < 1500) {
      pressedG = 0;
      all<HTMLAnchorElement>(document, "a[data-key]").find((a) => a.dataset["key"] === event.key)?.click();
    }
  });
}
