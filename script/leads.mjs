// The part of the walk that is about leads: a list comes in and is given out, phones report calls, a caller who was missed on one
// line is recovered from another, somebody is reminded, a lead is won, and its person is taken out and erased.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { send, submit } from "./trust.mjs";

// leadPages are the pages that are always there.
export const leadPages = ["/leads", "/leads/table", "/leads/calendar", "/leads/new", "/leads/settings", "/leads/settings/assignment", "/leads/settings/assignment/rule", "/leads/settings/assignment/rescue",
  "/leads/settings/assignment/closed", "/leads/settings/follow-ups", "/leads/settings/follow-ups/outcomes", "/reports/lead_pipeline", "/reports/lead_conversion", "/reports/lead_response?by=owner", "/reports/follow_up_discipline",
  "/reports/recovery", "/search?q=gup", "/leads/imports", "/leads/imports/new", "/contacts", "/contacts/new", "/contacts/twins", "/day", "/followups"];

const people = Array.from({ length: 12 }, (_, i) => ({ first: i === 3 ? "सीता" : `Walk${i}`, last: "Lead", number: `+9198220${String(41000 + i)}`, email: `walk${i}@leads.example.org` }));

// arranging has calls move leads on, and gives new leads to agents in turn.
async function arranging(kit, { page }) {
  await page.goto(`${kit.base}/leads/settings`);
  await page.locator("main a[href^='/leads/settings/pipeline?']").first().click();
  await page.locator("[name=attempted]").selectOption({ label: "Contacted" });
  await page.locator("[name=connected]").selectOption({ label: "Qualified" });
  await page.locator("main form .form-actions button").last().click();
  await page.waitForURL(/\/leads\/settings(\?|$)/);
  kit.check("what calls move is kept", /Contacted/.test(await page.locator("main").innerText()));
}

// bringing imports a list of leads that the rules give out: first for trial, then for good, then once more.
async function bringing(kit, view) {
  const { page } = view;
  const file = join(mkdtempSync(join(tmpdir(), "walk-")), "fair.csv");
  const rows = people.map((p, i) => [p.first, p.last, `Firm ${i}`, p.number, p.email, "Fair", 1000 * (i + 1), i === 5 ? "=1+1" : "Met at the fair"].join(","));
  writeFileSync(file, `First name,Last name,Company,Phone,E-mail,Source,Value,Note\n${rows.join("\n")}\nBad,Row,Firm,12,bad@leads.example.org,Fair,5,A number that is none\n`);
  const drop = async (button, name) => {
    await page.goto(`${kit.base}/leads/imports/new`);
    await page.locator("input[type=file]").setInputFiles(file);
    await page.waitForURL(/\/files\//);
    if (name) await kit.seen(view, name);
    await page.locator("[name=give][value=rules]").check();
    await page.locator(`main form button${button}`).click();
    await page.waitForURL(/\/runs\//);
    await page.waitForFunction(() => !document.querySelector("#watched[hx-get]"), undefined, { timeout: 20_000 });
    return page.locator(".tile-figure").allInnerTexts();
  };
  const dry = await drop("[name=dry]", "leads-import-form");
  kit.check("trying a list out counts its leads", dry[0]?.trim() === "13" && dry[1]?.trim() === "12" && dry[3]?.trim() === "1", dry.join(" "));
  const real = await drop(".btn-primary");
  kit.check("importing a list makes its leads", real[1]?.trim() === "12", real.join(" "));
  await kit.seen(view, "leads-import-done");
  kit.check("a refused row says what to do", /is not a phone number/.test(await page.locator("main").innerText()));
  const again = await drop(".btn-primary");
  kit.check("the same list again adds nobody", again[1]?.trim() === "0" && again[2]?.trim() === "0", again.join(" "));
}

// leadOf opens the page of a lead.
async function leadOf(kit, page, who) {
  await page.goto(`${kit.base}/leads/table?q=${encodeURIComponent(who.number)}`);
  const href = await page.locator("table.picked tbody th a").first().getAttribute("href");
  await page.goto(kit.base + href);
  return href;
}

const facts = (page) => page.locator("main dl").first().innerText().then((text) => text.replace(/\s+/g, " "));

// phone pairs a phone of an agent, as the companion does, and gives what sends its calls.
async function phone(kit, { page }, agent) {
  await page.goto(`${kit.base}/devices/pair`);
  const label = await page.locator("select[name=agent] option", { hasText: agent }).first().innerText();
  await page.locator("select[name=agent]").selectOption({ label });
  await page.locator("main form .form-actions button, main form button.btn-primary").first().click();
  await page.waitForLoadState("load");
  const paired = /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/.exec(await page.locator("main").innerText())?.[0];
  kit.check(`a code pairs a phone of ${agent}`, Boolean(paired), page.url());
  const post = async (path, body, token) => {
    const answer = await fetch(`${kit.base}/api/v1/device${path}`, { method: "POST", headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) }, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json().catch(() => undefined) };
  };
  const { body, status } = await post("/pair", { code: paired, install_id: `walk-${agent}`, name: `Phone of ${agent}`, app_version: "1.0", sims: [{ slot: 1, label: "Work" }] });
  kit.check(`the phone of ${agent} is paired`, status === 201, JSON.stringify(body));
  return async (who, type, seconds, ago) => {
    const sent = await post("/calls", { calls: [{ sim: "1", start: Date.now() - ago, type, seconds, number: who.number, client_key: `${type}-${who.number}-${ago}` }], waiting: 0 }, body.token);
    kit.check(`the phone of ${agent} reports its ${type} call`, sent.body?.answers?.[0]?.state === "new", JSON.stringify(sent.body));
  };
}

// until loads a page again until it says something; calls meet their leads a moment after they were stored.
async function until(page, said) {
  for (let i = 0; i < 40; i++) {
    if (said.test(await facts(page))) return true;
    await page.waitForTimeout(250);
    await page.reload();
  }
  return false;
}

// calling has phones report calls to leads, and looks how the leads move.
async function calling(kit, view) {
  const { page } = view;
  const [asha, ravi] = [await phone(kit, view, "Meera Iyer"), await phone(kit, view, "Farah Khan")];
  const href = await leadOf(kit, page, people[0]);
  await asha(people[0], "outgoing", 0, 3_000);
  kit.check("an attempt is counted", await until(page, /Attempts 1 call/), await facts(page));
  kit.check("the attempt moved the lead", /Contacted/.test(await page.locator(".steps .now").innerText()), await page.locator(".steps").innerText());
  await asha(people[0], "outgoing", 2, 2_500);
  kit.check("a connected call is counted", await until(page, /2 calls to them, 1 connected/), await facts(page));
  kit.check("the connected call moved the lead", /Qualified/.test(await page.locator(".steps .now").innerText()), await page.locator(".steps").innerText());
  await kit.seen(view, "lead-called");
  await page.locator("h2 a[href^='/contacts/']").click();
  await page.waitForLoadState("load");
  await kit.seen(view, "contact-called");
  kit.check("the calls stand in the timeline", (await page.locator(".timeline a[href^='/calls/']").count()) === 2);
  await filing(kit, view);
  await outcome(kit, view);
  // Missed on one line, called back from another.
  await asha(people[3], "missed", 0, 2_000);
  kit.check("the missed caller waits", await waits(kit, page, people[3], true));
  await kit.seen(view, "missed-known");
  await ravi(people[3], "outgoing", 1, 1_000);
  kit.check("a call back from another line recovers the caller", await waits(kit, page, people[3], false));
  return href;
}

// filing keeps a file on the page of a contact, is refused another, and takes the first one back out.
async function filing(kit, { page }) {
  const send = async (name, mimeType, content) => {
    await page.locator("#contact-file").setInputFiles({ name, mimeType, buffer: Buffer.from(content) });
    await submit(page, "/files");
  };
  await send("Offer नमस्ते.pdf", "application/pdf", "%PDF-1.7 an offer");
  kit.check("a file is kept", /Offer नमस्ते\.pdf.* is kept/.test(await page.locator("#flashes").innerText()));
  await kit.seen({ page }, "contact-filed");
  const link = page.locator("a[href*='/files/'][download]").first();
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  kit.check("the file comes back under its name", download.suggestedFilename() === "Offer नमस्ते.pdf", download.suggestedFilename());
  await send("offer.pdf", "application/pdf", "<!DOCTYPE html><script>alert(1)</script>");
  kit.check("a page with a script is no offer", /not filed here/.test(await page.locator("#flashes").innerText()));
}

// waits tells whether a caller who was missed today is on the list of those who wait, or is not any more.
async function waits(kit, page, who, want) {
  for (let i = 0; i < 20; i++) {
    await page.goto(`${kit.base}/missed?preset=today&number=${encodeURIComponent(who.number)}`);
    const rows = (await page.locator("main table tbody").allInnerTexts()).join("").replace(/\s/g, "");
    if (rows.includes(who.number) === want) return true;
    await page.waitForTimeout(250);
  }
  return false;
}

// outcome says on the page of a call what it came to and when to call next.
async function outcome(kit, view) {
  const { page } = view;
  await page.locator(".timeline a[href^='/calls/']").first().click();
  await page.waitForLoadState("load");
  const call = new URL(page.url()).pathname;
  await page.locator("#call-outcome").selectOption({ index: 1 });
  await page.locator("#call-next").fill(await soon(page, 26 * 60));
  await submit(page, "/outcome");
  await kit.seen(view, "call-outcome");
  kit.check("the outcome of a call is kept", (await page.locator("#call-outcome").inputValue()) !== "");
  kit.check("the next step of a call is planned", (await page.locator("a[href^='/followups/']").count()) > 0, call);
}

// soon is a moment so many minutes from now, as a field of the page wants it: in the time of the organisation.
const soon = (page, minutes) =>
  page.evaluate((ms) => {
    const p = Object.fromEntries(new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Kolkata", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(ms).map((x) => [x.type, x.value]));
    return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
  }, Date.now() + minutes * 60_000);

// reminding plans a follow-up that is due at once, is reminded of it, puts one off and finishes it.
async function reminding(kit, view, href) {
  const { page } = view;
  await page.goto(kit.base + href);
  await page.locator("details.menu-box", { has: page.locator("form[action='/followups']") }).locator("summary").click();
  await kit.seen(view, "followup-new", false); // the panel lies over what is behind it
  const form = page.locator("form[action='/followups']");
  const owner = form.locator("[name=owner]");
  if (await owner.count()) await owner.selectOption({ label: "Asha Verma" });
  await form.locator("[name=due]").fill(await soon(page, 1));
  await form.locator("[name=text], [name=note]").first().fill("Send the offer");
  await form.locator("button").last().click();
  await page.waitForLoadState("load");
  await page.goto(`${kit.base}/day`);
  const told = async () => {
    for (let i = 0; i < 30; i++) {
      await page.goto(`${kit.base}/day`);
      if (await page.locator("form[action='/day/seen']").count()) return true;
      await page.waitForTimeout(5000);
    }
    return false;
  };
  kit.check("whoever planned it is reminded", await told());
  await kit.seen(view, "day-reminded");
  kit.check("my day says whom to call", /Send the offer/.test(await page.locator("main").innerText()));
  const item = page.locator(".day-item", { hasText: "Send the offer" }).first();
  kit.check("one tap dials", /^tel:/.test((await item.locator("a[href^='tel:']").first().getAttribute("href")) ?? ""));
  const planned = /\d+:\d\d/.exec(await item.innerText())?.[0];
  await item.locator("form[action$='/snooze'] button").click();
  await page.waitForLoadState("load");
  const later = /\d+:\d\d/.exec(await item.innerText())?.[0];
  kit.check("what was put off is planned for later", later && later !== planned, `${planned} and then ${later}`);
}

// winning closes a lead as won, takes that back by opening it again, and wins it.
async function winning(kit, view, href) {
  const { page } = view;
  await page.goto(kit.base + href);
  const won = async () => {
    await page.locator("details.menu-box", { has: page.locator("form[action$='/close']") }).locator("summary").click();
    await page.locator("#close-how").selectOption({ index: 0 });
    await page.locator("#close-why").fill("They signed");
    await submit(page, "/close");
  };
  await won();
  await kit.seen(view, "lead-won");
  kit.check("the lead is won", /won/i.test(await page.locator("main").innerText()));
}

// giving looks who got the leads of the list and why, and gives one out anew while its owner is away.
async function giving(kit, view) {
  const { page } = view;
  await leadOf(kit, page, people[5]);
  const owner = /Owner: (.+?)\./.exec(await page.locator(".lead").first().innerText())?.[1];
  kit.check("the rules gave the lead to somebody", owner && owner !== "Nobody", owner);
  kit.check("the lead says why", /It was their turn/.test(await page.locator("main").innerText()));
  await page.goto(`${kit.base}/leads/settings/assignment`);
  kit.check("the log says who got it", /Walk5/.test(await page.locator("main").innerText()));
  const away = page.locator("form[action$='/away']");
  await away.locator("[name=member]").selectOption({ label: owner });
  await away.locator("[name=from]").fill(await soon(page, -60));
  await away.locator("[name=until]").fill(await soon(page, 3 * 24 * 60));
  await away.locator("button").last().click();
  await page.waitForLoadState("load");
  kit.check("somebody is away", (await page.locator("main").innerText()).includes(owner));
  await kit.seen(view, "assignment-away");
  await leadOf(kit, page, people[5]);
  await page.locator("form[action$='/assign'] button").click();
  await page.waitForLoadState("load");
  await kit.seen(view, "lead-assigned");
  const next = /Owner: (.+?)\./.exec(await page.locator(".lead").first().innerText())?.[1];
  kit.check("whoever is away gets nothing", next && next !== owner, `${owner} and then ${next}`);
}

// board moves a lead by the keyboard alone.
async function board(kit, view) {
  const { page } = view;
  await page.goto(`${kit.base}/leads`);
  await kit.seen(view, "board");
  const card = page.locator("[data-card]", { hasText: "Walk7" }).first();
  const lane = () => card.evaluate((el) => el.closest("[data-lane]").dataset.lane);
  const from = await lane();
  await card.locator("a.card-title").focus();
  await page.keyboard.press("m");
  await page.keyboard.press("ArrowRight");
  const moved = page.waitForResponse((r) => r.url().endsWith("/move") && r.ok());
  await page.keyboard.press("Enter");
  await moved;
  await page.reload();
  const to = await lane();
  kit.check("the keyboard moves a card on the board", to && to !== from, `${from} to ${to}`);
}

// bulk changes several leads at once, and takes it back.
async function bulk(kit, view) {
  const { page } = view;
  await page.goto(`${kit.base}/leads/table`);
  for (const i of [0, 1, 2]) await page.locator("table.picked [name=lead]").nth(i).check();
  await page.locator("#bulk-add").fill("walked");
  await page.locator("form#bulk .form-actions button").click();
  await page.waitForLoadState("load");
  const undo = page.locator("form[action$='/undo'] button").first();
  kit.check("a change of many can be taken back", await undo.isVisible());
  await kit.seen(view, "leads-bulk");
  await send(page, undo);
  await page.goto(`${kit.base}/leads/table?tag=walked`);
  kit.check("it is taken back", !(await page.locator("table.picked tbody tr").count()));
}

// leaving takes the leads out as a file, and erases the person of one.
async function leaving(kit, view, href) {
  const { page } = view;
  await page.goto(`${kit.base}/leads/table`);
  const saved = page.waitForEvent("download");
  const way = page.locator("a[href*='/leads/export'][href*='csv']").first();
  if (!(await way.isVisible())) await page.locator("details", { has: way }).locator("summary").first().click();
  await way.click();
  const text = readFileSync(await (await saved).path(), "utf8");
  kit.check("the file has the leads", people.slice(0, 5).every((p) => text.includes(p.number.slice(-8))), text.slice(0, 300));
  kit.check("the file has no live formula", !/(^|,|")=1\+1/m.test(text));
  await page.goto(kit.base + href);
  await page.locator("h2 a[href^='/contacts/']").click();
  await page.waitForLoadState("load");
  const contact = new URL(page.url()).pathname;
  await submit(page, "/delete").catch(() => send(page, page.locator("main form[action$='/delete'] button").last()));
  const gone = await page.goto(kit.base + contact);
  kit.check("the person is gone", gone.status() === 404, String(gone.status()));
  kit.check("their lead is gone", (await page.goto(kit.base + href)).status() === 404);
  await page.goto(`${kit.base}/contacts?q=${encodeURIComponent(people[0].number)}`);
  kit.check("nobody finds them", !(await page.locator("main a[href^='/contacts/con_']").count()));
}

// walking is the whole story; it gives pages to look at.
export async function walking(kit, view) {
  await arranging(kit, view);
  await bringing(kit, view);
  await giving(kit, view);
  await board(kit, view);
  await bulk(kit, view);
  const href = await calling(kit, view);
  await reminding(kit, view, href);
  await winning(kit, view, href);
  const { page } = view;
  const more = [];
  for (const path of ["/leads/table", "/contacts", "/followups"]) {
    await page.goto(kit.base + path);
    const first = page.locator(`main a[href^='/leads/led_'], main a[href^='/contacts/con_'], main a[href^='/followups/']`).first();
    if (await first.count()) more.push(await first.getAttribute("href"));
  }
  await leaving(kit, view, href);
  return [...leadPages, ...more.filter((path) => path !== href)];
}
