// A form[data-bulk]: the box in the head of its table ticks all rows, shift and a click tick those between.
import { all, once } from "./dom";

export function bulks(root: ParentNode): void {
  once<HTMLFormElement>(root, "form[data-bulk]", (form) => {
    const rows = all<HTMLInputElement>(form, "input[name=lead]");
    const head = form.querySelector<HTMLInputElement>("[data-all]");
    if (!head) return;
    head.hidden = false;
    let last = -1;
    const show = () => {
      const ticked = rows.filter((row) => row.checked).length;
      head.checked = ticked > 0 && ticked === rows.length;
      head.indeterminate = ticked > 0 && ticked < rows.length;
    };
    head.addEventListener("change", () => {
      for (const row of rows) row.checked = head.checked;
      show();
    });
    rows.forEach((row, i) =>
      row.addEventListener("click", (event) => {
        if (event.shiftKey && last >= 0) {
          for (const between of rows.slice(Math.min(last, i), Math.max(last, i) + 1)) between.checked = row.checked;
        }
        last = i;
        show();
      }),
    );
  });
}
