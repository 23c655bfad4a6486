// A form with data-confirm asks before it is sent: data-confirm is the question, data-confirm-text says what will happen,
// data-confirm-action names the button. Without script the form is sent at once, so the server's page says what it does.
import { word } from "./dom";

function ask(form: HTMLFormElement, go: () => void): void {
  const dialog = document.createElement("dialog");
  dialog.className = "sheet";
  dialog.setAttribute("aria-labelledby", "confirm-title");
  const title = document.createElement("h2");
  title.id = "confirm-title";
  title.textContent = form.dataset["confirm"] ?? "";
  const text = document.createElement("p");
  text.textContent = form.dataset["confirmText"] ?? "";
  const row = document.createElement("div");
  row.className = "form-actions";
  const no = document.createElement("button");
  no.className = "btn";
  no.type = "button";
  no.textContent = word("cancel");
  const yes = document.createElement("button");
  yes.className = form.dataset["confirmKind"] === "plain" ? "btn btn-primary" : "btn btn-error";
  yes.type = "button";
  yes.textContent = form.dataset["confirmAction"] ?? word("continue");
  row.append(no, yes);
  dialog.append(title, text, row);
  document.body.append(dialog);
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    dialog.close();
    go();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  no.focus();
}

export function confirmations(): void {
  const agreed = new WeakSet<HTMLFormElement>();
  // Captured, so that it comes before htmx sees the same event.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset["confirm"] || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    ask(form, () => {
      agreed.add(form);
      form.requestSubmit(submitter);
    });
  }, true);

  document.addEventListener("click", (event) => {
    const opener = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-open]") : null;
    const dialog = opener && document.getElementById(opener.dataset["open"] ?? "");
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault();
      dialog.showModal();
    }
    // A click on the backdrop lands on the dialog itself.
    if (event.target instanceof HTMLDialogElement && event.target.matches(".sheet")) event.target.close();
    const close = event.target instanceof Element ? event.target.closest("[data-close]") : null;
    close?.closest("dialog")?.close();
  });
}
