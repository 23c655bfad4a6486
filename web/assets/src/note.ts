// <form data-autosave action method=post> with a textarea saves a while after the last key and when it loses the focus,
// and says so in its .saved. Without script its button saves.
import { once, word } from "./dom";

const pause = 800; // ms after the last key: long enough not to save in mid-word, short enough to feel immediate

export function notes(root: ParentNode): void {
  once<HTMLFormElement>(root, "form[data-autosave]", (form) => {
    const status = form.querySelector<HTMLElement>(".saved");
    for (const button of form.querySelectorAll<HTMLElement>("button[type=submit]")) button.hidden = true;
    let due: ReturnType<typeof setTimeout> | undefined;
    let kept = new URLSearchParams(new FormData(form) as unknown as Record<string, string>).toString();
    const save = async () => {
      clearTimeout(due);
      const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
      const text = body.toString();
      if (text === kept) return;
      try {
        const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
        if (!answer.ok) throw new Error(String(answer.status));
        kept = text;
        if (status) status.textContent = word("saved");
      } catch {
        if (status) status.textContent = word("not-saved");
      }
    };
    form.addEventListener("input", () => {
      if (status) status.textContent = "";
      clearTimeout(due);
      due = setTimeout(save, pause);
    });
    form.addEventListener("focusout", save);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void save();
    });
  });
}
