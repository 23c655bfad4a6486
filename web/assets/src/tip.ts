// Marks of a chart carry their words in <title>; the tip shows them at once and in the page's own type.

export function tips(): void {
  let tip: HTMLElement | undefined;
  const hide = () => {
    tip?.remove();
    tip = undefined;
  };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target instanceof Element ? event.target.closest(".chart :is(a, g.mark)") : null;
    if (!mark) {
      hide();
      return;
    }
    // The browser's own slow tooltip would come on top, so its words move to an attribute.
    const title = mark.querySelector(":scope > title");
    if (title) {
      mark.setAttribute("data-tip", title.textContent ?? "");
      if (!mark.hasAttribute("aria-label")) mark.setAttribute("aria-label", title.textContent ?? "");
      title.remove();
    }
    const text = mark.getAttribute("data-tip");
    if (!text) return;
    hide();
    tip = document.createElement("div");
    tip.className = "tip";
    tip.setAttribute("aria-hidden", "true");
    tip.textContent = text;
    document.body.append(tip);
    const at = mark.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(Math.max(at.left + at.width / 2 - width / 2, 8), document.documentElement.clientWidth - width - 8);
    const top = at.top - height - 6 < 8 ? at.bottom + 6 : at.top - height - 6;
    tip.style.translate = `${Math.round(left)}px ${Math.round(top)}px`;
  });
  addEventListener("scroll", hide, { passive: true, capture: true });
}
