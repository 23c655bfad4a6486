// A .drop is a label around a plain file input. With script, files can be dropped on it and the chosen ones are named; a
// form with data-send goes off as soon as a file is there.
import { once } from "./dom";

function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let n = bytes;
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${n < 10 && unit > 0 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

export function dropzones(root: ParentNode): void {
  once<HTMLElement>(root, ".drop", (zone) => {
    const input = zone.querySelector<HTMLInputElement>('input[type="file"]');
    const chosen = zone.querySelector<HTMLElement>(".chosen");
    if (!input) return;
    const show = () => {
      if (chosen) chosen.textContent = [...(input.files ?? [])].map((f) => `${f.name} (${size(f.size)})`).join(", ");
      if (input.files?.length && input.form?.hasAttribute("data-send")) input.form.requestSubmit();
    };
    input.addEventListener("change", show);
    for (const name of ["dragenter", "dragover"]) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.add("over");
      });
    }
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      const files = event.dataTransfer?.files;
      if (!files?.length) return;
      if (files.length > 1 && !input.multiple) {
        const first = new DataTransfer();
        first.items.add(files[0] as File);
        input.files = first.files;
      } else {
        input.files = files;
      }
      show();
    });
  });
}
