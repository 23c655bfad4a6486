// On a narrow screen a row of tabs scrolls: the current one is brought into view.
export function tabs(root: ParentNode): void {
  for (const row of root.querySelectorAll<HTMLElement>(".tabs-row")) {
    const current = row.querySelector<HTMLElement>("[aria-current]");
    if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }
}
