// The eye beside a password shows and hides it.
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
