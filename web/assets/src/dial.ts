// Whoever taps a number to dial it tells the server, so that colleagues who look at the same person meanwhile are warned. Dialling does
// not wait for it.
export function dials(): void {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-dial]") : null;
    if (link) navigator.sendBeacon("/calling", new URLSearchParams({ number: link.dataset["dial"] ?? "" }));
  });
}
