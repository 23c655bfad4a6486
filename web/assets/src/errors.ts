// When a form came back with mistakes, the summary gets the focus, so that a screen reader starts there.
export function errors(): void {
  document.querySelector<HTMLElement>(".errors")?.focus();
}
