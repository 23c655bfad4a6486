// A [data-board] of lanes: cards are dragged, or moved by keys: M on a card's link picks it up, arrows move it, Enter puts
// it down, Escape puts it back. Each move is posted to the card's data-move as stage, above (the id of the card over it)
// and rev; the answer gives the new rev and the heads of the lanes. A refusal puts the card back and is told.
import Sortable from "sortablejs";
import { all, once, say } from "./dom";

interface Head {
  stage: string;
  count: string;
  note: string;
}

interface Moved {
  rev: number;
  lanes: Head[];
}

interface Place {
  lane: HTMLElement;
  next: Element | null;
}

function boards(root: ParentNode): void {
  once<HTMLElement>(root, "[data-board]", (board) => {
    const lanes = all<HTMLElement>(board, "[data-lane]");
    for (const lane of lanes) dragging(board, lane);
    keys(board, lanes);
  });
}

boards(document);

function placeOf(card: HTMLElement): Place {
  return { lane: card.closest<HTMLElement>("[data-lane]")!, next: card.nextElementSibling };
}

function putBack(card: HTMLElement, was: Place): void {
  was.lane.insertBefore(card, was.next);
}

function dragging(board: HTMLElement, lane: HTMLElement): void {
  let was: Place;
  Sortable.create(lane, {
    group: "board",
    draggable: ".movable",
    filter: "form",
    preventOnFilter: false,
    delay: 150,
    delayOnTouchOnly: true,
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    ghostClass: "ghost",
    onStart: (event) => {
      was = placeOf(event.item);
      if (was.next === event.item) was.next = null;
    },
    onEnd: (event) => {
      if (event.from === event.to && event.oldIndex === event.newIndex) return;
      void settle(board, event.item, was);
    },
  });
}

// settle tells the server where a card now lies.
async function settle(board: HTMLElement, card: HTMLElement, was: Place): Promise<void> {
  const above = card.previousElementSibling;
  const body = new URLSearchParams({
    stage: card.closest<HTMLElement>("[data-lane]")?.dataset["lane"] ?? "",
    above: above instanceof HTMLElement ? (above.dataset["card"] ?? "") : "",
    placed: "1",
    rev: card.dataset["rev"] ?? "",
  });
  try {
    const answer = await fetch(card.dataset["move"] ?? "", { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok) {
      putBack(card, was);
      say((await answer.text()) || (board.dataset["wordFailed"] ?? ""));
      return;
    }
    const moved = (await answer.json()) as Moved;
    card.dataset["rev"] = String(moved.rev);
    for (const rev of all<HTMLInputElement>(card, "input[name=rev]")) rev.value = String(moved.rev);
    for (const head of moved.lanes) {
      for (const count of all(board, `[data-count="${head.stage}"]`)) count.textContent = head.count;
      for (const note of all(board, `[data-note="${head.stage}"]`)) note.textContent = head.note;
    }
  } catch {
    putBack(card, was);
    say(board.dataset["wordFailed"] ?? "");
  }
}

function keys(board: HTMLElement, lanes: HTMLElement[]): void {
  let held: HTMLElement | undefined;
  let was: Place | undefined;
  const link = (card: HTMLElement) => card.querySelector<HTMLElement>(".card-title");
  const tell = (name: string, card: HTMLElement) => {
    const lane = card.closest<HTMLElement>("[data-lane]");
    const place = lane ? [...lane.children].indexOf(card) + 1 : 0;
    say((board.dataset[name] ?? "").replace("{card}", link(card)?.textContent ?? "").replace("{lane}", lane?.dataset["title"] ?? "").replace("{place}", String(place)).replace("{count}", String(lane?.children.length ?? 0)));
  };
  const release = () => {
    held?.classList.remove("held");
    held = was = undefined;
  };
  board.addEventListener("keydown", (event) => {
    const card = event.target instanceof HTMLElement && event.target.matches(".card-title") ? event.target.closest<HTMLElement>(".movable") : null;
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!held && event.key.toLowerCase() === "m") {
      held = card;
      was = placeOf(card);
      card.classList.add("held");
      tell("wordPicked", card);
    } else if (!held || !was || held !== card) {
      return;
    } else if (event.key === "Escape") {
      putBack(card, was);
      tell("wordBack", card);
      release();
    } else if (event.key === "Enter" || event.key === " " || event.key.toLowerCase() === "m") {
      const from = was;
      release();
      tell("wordMoved", card);
      if (from.lane !== card.parentElement || from.next !== card.nextElementSibling) void settle(board, card, from);
    } else if (shift(card, event.key, lanes)) {
      tell("wordAt", card);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    link(card)?.focus();
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

// shift moves a card by one place, or to the lane beside it.
function shift(card: HTMLElement, key: string, lanes: HTMLElement[]): boolean {
  const lane = card.parentElement as HTMLElement;
  const beside = (step: number) => {
    const to = lanes[lanes.indexOf(lane) + step];
    if (!to) return;
    const place = [...lane.children].indexOf(card);
    to.insertBefore(card, to.children[place] ?? null);
  };
  switch (key) {
    case "ArrowUp":
      card.previousElementSibling?.before(card);
      return true;
    case "ArrowDown":
      card.nextElementSibling?.after(card);
      return true;
    case "ArrowLeft":
      beside(-1);
      return true;
    case "ArrowRight":
      beside(1);
      return true;
    default:
      return false;
  }
}
