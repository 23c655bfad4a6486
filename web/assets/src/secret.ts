// The eye beside a password shows and hides it, and a line under a new one tells how much is still to come.
import { once } from "./dom";

export function secrets(root: ParentNode): void {
  once<HTMLButtonElement>(root, ".secret button", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const input = button.parentElement?.querySelector("input");
      if (!input) return;
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
    });
  });
}

export function lengths(root: ParentNode): void {
  once<HTMLInputElement>(root, "input[data-least]", (input) => {
    const line = input.closest(".field")?.querySelector<HTMLElement>("[data-length]");
    if (!line) return;
    const tell = () => {
      const missing = Number(input.dataset["least"]) - [...input.value].length;
      const more = `${input.getAttribute("data-word-more") ?? ""} ${missing}`;
      line.textContent = !input.value ? "" : missing > 0 ? more : (input.getAttribute("data-word-enough") ?? "");
    };
    input.addEventListener("input", tell);
    tell();
  });
}
