// <button data-copy="text"> or data-copy-from="id" puts a text on the clipboard.
import { say, word } from "./dom";

export function copying(): void {
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copy], [data-copy-from]") : null;
    if (!button) return;
    const source = document.getElementById(button.dataset["copyFrom"] ?? "");
    const text = button.dataset["copy"] ?? source?.textContent?.trim() ?? "";
    try {
      await navigator.clipboard.writeText(text);
      say(word("copied"));
    } catch {
      // No clipboard outside a secure page: select the text so that the reader can copy it.
      if (source) getSelection()?.selectAllChildren(source);
      say(word("copy-by-hand"));
    }
  });
}
