// <time datetime data-ago> written by the server as "5 minutes ago" is kept true while the page stays open.
import { all } from "./dom";

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function ago(then: number, now: number, format: Intl.RelativeTimeFormat): string {
  const seconds = Math.round((then - now) / 1000);
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(0, "second");
}

function refresh(root: ParentNode): void {
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
  for (const time of all<HTMLTimeElement>(root, "time[data-ago]")) {
    const then = Date.parse(time.dateTime);
    // Past a week the server's date says more.
    if (Number.isNaN(then) || Date.now() - then > 7 * 86400e3) continue;
    const text = ago(then, Date.now(), format);
    if (time.textContent !== text) time.textContent = text;
  }
}

let ticking = false;

export function times(root: ParentNode): void {
  if (ticking || !root.querySelector("time[data-ago]")) return;
  ticking = true;
  setInterval(() => refresh(document), 30e3);
}
