// The part of the walk that is about what a privacy officer does over months: attesting, an incident to its end, requests that
// are refused or that a hold keeps, the archive, a second version of the policy, and closing the organisation.
import { code, send, submit } from "./trust.mjs";

const day = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);

// press sends the one form of a page.
const press = (page) => send(page, page.locator("main form .form-actions button").last());

// twice looks at a page as it stands for somebody at a desk by night and on a phone by day, or the other way round.
async function twice(kit, path, name, axed = true) {
  for (const [size, scheme] of [["wide", "dark"], ["narrow", "light"]]) {
    const view = await kit.signedIn(size, scheme);
    await kit.look(view, path, `${name}-${size}-${scheme}`, axed);
    await view.context.close();
  }
}

// refused tells whether a form came back with a field that is wrong, and what is wrong beside it.
async function refused(kit, page, what, field) {
  const wrong = page.locator(".field.wrong", { has: page.locator(`[name=${field}]`) }).locator(".error");
  kit.check(what, await wrong.isVisible(), await page.locator(".error").allInnerTexts().then((all) => all.join(" ")));
}

// attesting puts a training and a scan on the list, signs both, and reads the statement.
export async function attesting(kit, owner) {
  const { page } = owner;
  await page.goto(`${kit.base}/trust/attestations/new`);
  await page.locator("[name=title]").fill("How people's data is handled");
  await page.locator("[name=kind][value=training]").check();
  await page.locator("[name=due]").fill(day(14));
  await press(page);
  await refused(kit, page, "a training of nobody is refused beside its field", "member");
  await kit.seen(owner, "attestation-new-wrong");
  await page.locator("[name=member]").selectOption({ index: 2 });
  await press(page);
  const training = new URL(page.url()).pathname;
  kit.check("a training is on the list", training !== "/trust/attestations/new", await page.locator(".error").allInnerTexts().then((all) => all.join(" ")));
  await page.goto(`${kit.base}/trust/attestations/new`);
  await page.locator("[name=title]").fill("Known vulnerabilities of the release");
  await page.locator("[name=kind][value=scan]").check();
  await page.locator("[name=due]").fill(day(-1));
  await press(page);
  const scan = new URL(page.url()).pathname;
  await twice(kit, "/trust/attestations", "attestations-overdue");
  kit.check("what is overdue is counted", /\b1\b/.test(await page.goto(`${kit.base}/trust/attestations`).then(() => page.locator(".lead").first().innerText())), await page.locator("header, main").first().innerText());
  await page.goto(kit.base + scan);
  await page.locator("[name=result][value=findings]").check();
  await submit(page, scan);
  await refused(kit, page, "findings without a word are refused beside their field", "note");
  await page.locator("[name=note]").fill("One library has a known weakness that we do not reach.");
  await submit(page, scan);
  await page.goto(kit.base + training);
  await submit(page, training);
  await kit.seen(owner, "attestation-signed");
  const saved = page.waitForEvent("download", { timeout: 15_000 }).catch(() => undefined);
  await page.locator("a[href$='/statement']").click();
  kit.check("the statement comes down", Boolean(await saved));
  await twice(kit, training, "attestation-one");
  await twice(kit, "/trust/attestations", "attestations-done");
  await twice(kit, "/trust/attestations/materials", "attestation-materials");
}

// ending works an incident through: a measure, the notices, the draft of one, and the report.
export async function ending(kit, owner, incident) {
  const { page } = owner;
  await page.goto(kit.base + incident);
  await submit(page, "/close");
  await refused(kit, page, "an incident without lessons is not closed", "lessons");
  const draft = await page.locator("main a[href*='/draft?']").first().getAttribute("href").catch(() => null);
  if (draft) await twice(kit, draft, "incident-draft");
  await page.goto(kit.base + incident);
  await page.locator("[name=kind]").first().waitFor();
  for (let i = 0; i < 12; i++) {
    const clocks = page.locator("form[action$='/step'] [name=clock] option:not([value=''])");
    if (!(await clocks.count())) break;
    await choose(page, "kind", "waived");
    await page.locator("[name=clock]").selectOption({ index: 1 });
    await page.locator("form[action$='/step'] [name=text]").fill("The phone was locked and encrypted; nobody can read it.");
    await submit(page, "/step");
    if (i === 0) await kit.seen(owner, "incident-step");
  }
  await twice(kit, incident, "incident-told");
  await page.locator("[name=lessons]").fill("Phones are locked after a minute from now on.");
  await submit(page, "/close");
  kit.check("an incident ends with a report", await page.locator("main pre").isVisible(), await page.locator(".error, .note").allInnerTexts().then((all) => all.join(" ")));
  await twice(kit, incident, "incident-closed");
}

// choose picks a value of a field, whether it is a list or radio buttons.
async function choose(page, name, value) {
  const list = page.locator(`select[name=${name}]`);
  if (await list.count()) return list.selectOption(value);
  return page.locator(`[name=${name}][value=${value}]`).check();
}

// enter writes a request down that came by phone, and gives its page.
async function enter(kit, page, kind, contact) {
  await page.goto(`${kit.base}/trust/requests/new`);
  await choose(page, "kind", kind);
  await choose(page, "channel", "phone");
  await page.locator("[name=contact]").fill(contact);
  await press(page);
  const at = new URL(page.url()).pathname;
  kit.check(`a request for ${kind} is entered`, at !== "/trust/requests/new", await page.locator(".error").allInnerTexts().then((all) => all.join(" ")));
  return at;
}

// judging refuses one request, and finds that a legal hold keeps the data of another.
export async function judging(kit, owner, privacy, held) {
  const { page } = owner;
  const asked = await kit.open("narrow", "dark");
  await asked.page.goto(`${kit.base}${privacy}/request?kind=access`);
  await asked.page.locator("[name=contact]").fill("refused@walk.example.org");
  await submit(asked.page, "/request");
  const status = asked.page.url();
  await asked.page.locator("[name=code]").fill((await code(owner, kit.base, "refused@walk.example.org")) ?? "");
  await submit(asked.page, "/code");
  const number = new URL(status).pathname.split("/").pop();
  await page.goto(`${kit.base}/trust/requests`);
  const refusable = await page.locator("main table a[href^='/trust/requests/']").first().getAttribute("href");
  await page.goto(kit.base + refusable);
  await page.locator("details:has(form[action$='/refuse']) summary").click();
  await choose(page, "reason", "unfounded");
  await submit(page, "/refuse");
  await refused(kit, page, "a refusal without a sentence is not sent", "sentence");
  kit.check("what has to be mended is unfolded", await page.locator("[name=sentence]").isVisible());
  await page.locator("[name=sentence]").fill("You ask for the same every week; you had everything on Monday.");
  await submit(page, "/refuse");
  await kit.seen(owner, "trust-request-refused");
  await twice(kit, refusable, "trust-request-refused");
  await asked.page.goto(status);
  await kit.seen(asked, "ask-refused");
  kit.check("whoever is refused reads why, and gets a receipt", (await asked.page.locator("main").innerText()).includes("every week") && (await asked.page.locator("a[href$='/receipt']").count()) === 1, number);
  await asked.context.close();

  const locked = await enter(kit, page, "erasure", held);
  await page.locator("details:has(form[action$='/review']) summary").click();
  await page.locator("[name=evidence]").fill("Passport seen at the counter.");
  await submit(page, "/review");
  if (await page.locator("form[action$='/plan']").count()) await submit(page, "/plan");
  kit.check("the plan names the hold", (await page.locator("main a[href^='/trust/holds/']").count()) > 0, await page.locator("main").innerText());
  await twice(kit, locked, "trust-request-held");
  for (const step of ["/approve", "/run"]) {
    if (await page.locator(`form[action$="${step}"]`).count()) await submit(page, step);
  }
  await kit.seen(owner, "trust-request-locked");
  await twice(kit, locked, "trust-request-locked");
}

// archiving opens what retention has put into the archive, brings it back, and looks at what waits.
export async function archiving(kit, owner) {
  const { page } = owner;
  await twice(kit, "/trust/retention", "retention-waiting");
  await twice(kit, "/trust/retention/plan", "retention-plan");
  await twice(kit, "/trust/retention/archive", "archive");
  await page.goto(`${kit.base}/trust/retention/archive`);
  const items = await page.locator("main table a[href^='/trust/retention/archive/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  kit.check("the archive holds something", items.length > 0);
  for (const [i, item] of items.slice(0, 2).entries()) await twice(kit, item, `archived-${i}`);
  if (!items.length) return;
  await page.goto(kit.base + items.at(-1));
  await submit(page, "/return");
  await kit.seen(owner, "archive-returned");
  kit.check("what was brought back is not in the archive", (await page.locator(`main a[href="${items.at(-1)}"]`).count()) === 0);
}

// publishing makes a second version of the policy: what is wrong with a draft, what changes, the notice, and saying yes.
export async function publishing(kit, owner, privacy) {
  const { page } = owner;
  await page.goto(`${kit.base}/trust/policy/edit`);
  const text = await page.locator("[name=text]").inputValue();
  await page.locator("[name=text]").fill(text.replace(/contact: "[^"]*"/, 'contact: "privacy@…"').replace(/grievance_officer: .*/, ""));
  await submit(page, "/edit");
  kit.check("what is wrong with a draft stands with its lines", (await page.locator("#findings li").count()) > 1);
  await kit.seen(owner, "policy-findings");
  await twice(kit, "/trust/policy/edit", "policy-findings");
  kit.check("a draft with findings is not published", (await page.locator("form[action$='/publish']").count()) === 0);
  await page.goto(`${kit.base}/trust/policy/edit`);
  await page.locator("[name=text]").fill(text.replace("archive: 90d", "archive: 120d"));
  await submit(page, "/edit");
  kit.check("the draft says what changes", (await page.locator("#changes li").count()) === 1, await page.locator("#changes").innerText());
  await twice(kit, "/trust/policy/edit", "policy-changes");
  await submit(page, "/publish");
  await kit.seen(owner, "policy-published");
  kit.check("two versions are listed", (await page.locator("main table tbody tr").count()) === 2, await page.locator("main").innerText());
  kit.check("a strip tells of the change", await page.locator("aside.strip a[href='/policy']").isVisible());
  await twice(kit, "/trust/policy", "policy-coming");
  await twice(kit, "/policy", "policy-change");
  await page.goto(`${kit.base}/policy`);
  await submit(page, "/policy/accept");
  await refused(kit, page, "a change is not accepted without a tick", "agree");
  await page.locator("[name=agree]").check();
  await submit(page, "/policy/accept");
  await kit.seen(owner, "policy-accepted");
  kit.check("the strip is gone once the change is accepted", (await page.locator("aside.strip a[href='/policy']").count()) === 0);
  const stranger = await kit.open("narrow", "light");
  await kit.look(stranger, privacy, "public-policy-coming");
  await kit.look(stranger, `${privacy}/v/2`, "public-policy-version-2");
  await stranger.context.close();
}

// closing closes the organisation, looks at what can still be done, and takes the closing back. Nobody else walks meanwhile.
export async function closing(kit, owner) {
  const { page } = owner;
  await page.goto(`${kit.base}/settings/close`);
  const name = await page.locator("label[for=f-name]").innerText().then((text) => text.replace(/^[^:]*: /, "").trim());
  await page.locator("[name=name]").fill(name);
  await page.locator("[name=days]").fill("7");
  await submit(page, "/settings/close");
  await kit.seen(owner, "closing");
  kit.check("an organisation that is being closed says so everywhere", await page.locator("aside.strip a[href='/settings/close']").isVisible(), await page.locator("main").innerText());
  for (const path of ["/", "/settings/close", "/trust/policy", "/trust/holds", "/trust/requests", "/people", "/devices"]) await twice(kit, path, `closing${path.replaceAll("/", "-")}`);
  await page.goto(`${kit.base}/trust/policy`);
  kit.check("a policy cannot be changed while the organisation is being closed", (await page.locator("main a[href$='/edit'], header a[href$='/edit']").count()) === 0);
  await page.goto(`${kit.base}/people/invite`);
  await kit.seen(owner, "closing-refused");
  kit.check("nobody is invited while the organisation is being closed", (await page.locator("main form").count()) === 0);
  await page.goto(`${kit.base}/`);
  await page.locator("aside.strip a[href='/settings/close']").click();
  await page.waitForURL(/\/settings\/close/);
  await submit(page, "/settings/close/undo");
  await kit.seen(owner, "closing-undone");
  kit.check("the closing was taken back", (await page.locator("aside.strip a[href='/settings/close']").count()) === 0);
}
