// A select that follows another one takes the option that goes with what is chosen there, such as a country's time zone.
import { once } from "./dom";

export function followers(root: ParentNode): void {
  once<HTMLSelectElement>(root, "select[data-follows]", (select) => {
    const leader = select.form?.elements.namedItem(select.dataset["follows"] ?? "");
    if (!(leader instanceof HTMLSelectElement)) return;
    leader.addEventListener("change", () => {
      const option = [...select.options].find((o) => o.dataset["for"] === leader.value);
      if (option) select.value = option.value;
    });
  });
}
