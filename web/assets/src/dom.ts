// Small helpers to find elements and to speak.

export function all<E extends HTMLElement>(root: ParentNode, selector: string): E[] {
  return [...root.querySelectorAll<E>(selector)];
}

// once runs start for each element under root that matches and was not started before.
export function once<E extends HTMLElement>(root: ParentNode, selector: string, start: (element: E) => void): void {
  for (const element of all<E>(root, selector)) {
    if (element.dataset["live"]) continue;
    element.dataset["live"] = "1";
    start(element);
  }
}

// word is a phrase that the server put on the page for scripts, as data-word-… of the body.
export function word(name: string): string {
  return document.body.getAttribute(`data-word-${name}`) ?? "";
}

// say tells something for a moment; screen readers hear it too.
export function say(text: string): void {
  let area = document.querySelector<HTMLElement>(".toast-area");
  if (!area) {
    area = document.createElement("div");
    area.className = "toast-area";
    area.setAttribute("role", "status");
    document.body.append(area);
  }
  const line = document.createElement("p");
  line.textContent = text;
  area.append(line);
  setTimeout(() => line.remove(), 4000);
}

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}
