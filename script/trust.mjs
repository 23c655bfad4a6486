// The part of the walk that is about privacy: what an officer does, and what a person without an account does on a phone.
// Each function takes the kit of walk.mjs: check, look, open, signedIn, picture, and the address of the server.

// The kinds of requests on the public page, in its order.
const kinds = ["access", "portability", "correction", "erasure", "restriction", "objection", "withdrawal", "complaint"];

const mailed = (kind) => `${kind}@walk.example.org`;

// send presses a button and agrees to what the page then asks.
export async function send(page, button) {
  const loaded = page.waitForNavigation({ waitUntil: "load" });
  loaded.catch(() => undefined); // a button that is not there fails below, and says where
  await button.click({ timeout: 10_000 });
  const dialog = page.locator("dialog[open]");
  if (await Promise.race([loaded.then(() => false), dialog.waitFor().then(() => true, () => false)])) await dialog.locator("button").last().click();
  await loaded;
}

export const submit = (page, action) => send(page, page.locator(`main form[action$="${action}"] button`).last());

// publicAddress is where anybody reads the policy of the organisation.
export async function publicAddress({ page }, base) {
  await page.goto(`${base}/trust/policy`);
  return page.locator("main a[href^='/privacy/'], header a[href^='/privacy/']").first().getAttribute("href").then((href) => href.replace(/\/v\/.*/, ""));
}

// code reads the code in the newest mail to an address, in the outbox of a server without mail.
export async function code(owner, base, to) {
  await owner.page.goto(`${base}/developer/outbox`);
  const all = await owner.page.locator("main section", { hasText: to }).allInnerTexts();
  return all.map((text) => /\b\d{6}\b/.exec(text.replaceAll(to, ""))?.[0]).find(Boolean);
}

// readable looks at the pages that anybody may read, in both languages.
export async function readable(kit, privacy) {
  for (const [size, scheme] of kit.thorough ? [["narrow", "light"], ["narrow", "dark"], ["wide", "light"], ["wide", "dark"]] : [["narrow", "light"], ["wide", "dark"]]) {
    const view = await kit.open(size, scheme);
    for (const lang of ["en", "hi"]) {
      await kit.look(view, `${privacy}?lang=${lang}`, `public-policy-${lang}-${size}-${scheme}`);
      kit.check(`the policy is in ${lang}`, (await view.page.locator("main[lang], html").first().getAttribute("lang")).startsWith(lang));
      const earlier = await view.page.locator("main a[href*='/v/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")).filter((href) => !href.endsWith(".yaml")));
      if (earlier.length) await kit.look(view, earlier[0], `public-policy-version-${lang}-${size}-${scheme}`, kit.thorough);
    }
    await kit.look(view, `${privacy}/recipients`, `public-recipients-${size}-${scheme}`);
    await kit.look(view, `${privacy}/proof`, `public-proof-${size}-${scheme}`);
    await kit.look(view, `${privacy}/request`, `ask-${size}-${scheme}`);
    await view.context.close();
  }
}

// asking makes a request of every kind on a phone: from the privacy page over the code to the page that says how it stands.
export async function asking(kit, privacy, owner) {
  const asked = new Map();
  const number = await caller(kit, owner);
  for (const kind of kinds) {
    const view = await kit.open("narrow", kinds.indexOf(kind) % 2 ? "dark" : "light");
    const { page } = view;
    const axed = kit.thorough || ["access", "erasure", "complaint"].includes(kind);
    await page.goto(kit.base + privacy);
    const way = page.locator(`main a[href$="${privacy}/request"]`).first();
    kit.check("the way to ask is seen at once", (await way.boundingBox())?.y < page.viewportSize().height);
    await way.click();
    await page.locator(`.choice-list a[href$="kind=${kind}"]`).click();
    await kit.seen(view, `ask-${kind}-form`, axed);
    await byKeyboard(kit, page, `the form for ${kind}`, "main form button");
    const to = kind === "erasure" ? number : mailed(kind);
    await page.locator("[name=contact]").fill(to);
    await page.locator("[name=text]").fill("Please answer me in plain words.");
    await submit(page, "/request");
    await kit.seen(view, `ask-${kind}-sent`, axed);
    const status = page.url();
    if (kind !== "complaint") {
      const said = kind === "erasure" ? await spoken(kit, owner) : await code(owner, kit.base, to);
      kit.check(`a code came for ${kind}`, Boolean(said), to);
      await page.locator("[name=code]").fill("00000");
      await submit(page, "/code");
      kit.check(`a wrong code for ${kind} is named beside its field`, await page.locator(".field.wrong .error").isVisible());
      await kit.seen(view, `ask-${kind}-wrong-code`, axed);
      await page.locator("[name=code]").fill(said ?? "");
      await submit(page, "/code");
      kit.check(`the code for ${kind} was taken`, (await page.locator("[name=code]").count()) === 0);
    }
    await kit.seen(view, `ask-${kind}-waiting`, axed);
    asked.set(kind, { view, status, axed });
  }
  await answering(kit, owner, asked);
  return asked;
}

// caller is the number of somebody who called, and at whom the walk of calls, which goes on at the same time, does not look.
async function caller({ base }, { page }) {
  const on = async (path) => {
    await page.goto(base + path);
    return page.locator("main a[href^='/numbers/']").evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.textContent]));
  };
  const looked = new Set([...(await on("/")), ...(await on("/missed"))].map(([href]) => href));
  for (const [href, text] of (await on("/calls")).slice(1).reverse()) {
    if (looked.has(href) || text.includes("98450 1")) continue;
    await page.goto(base + href);
    const number = /\+\d[\d ]{8,}\d/.exec(await page.locator("main").innerText())?.[0];
    if (number && !number.includes("98450 1")) return number;
  }
  throw new Error("nobody called whose data could be deleted");
}

// spoken makes the code that an officer reads out to a number that asked.
async function spoken({ base }, { page }) {
  await page.goto(`${base}/trust/requests`);
  const rows = page.locator("main table a[href^='/trust/requests/req'], main table a[href^='/trust/requests/']");
  for (const href of await rows.evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
    await page.goto(base + href);
    if (!(await page.locator("form[action$='/speak']").count())) continue;
    await submit(page, "/speak");
    const found = /(\d{3}) (\d{3})/.exec(await page.locator(".note, [role=status], [role=note]").allInnerTexts().then((all) => all.join("\n").replace(/\+?[\d ]{11,}/g, "")));
    return found ? found[1] + found[2] : undefined;
  }
  return undefined;
}

// answering carries out each request at the desk, and looks at what the person then sees.
async function answering(kit, owner, asked) {
  const { page } = owner;
  await kit.look(owner, "/trust/requests", "trust-requests-wide");
  const open = await page.locator("main table a[href^='/trust/requests/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  // Restriction, objection and withdrawal were carried out as soon as the code was right.
  kit.check("every request that needs an officer stands in the queue", open.length === 5, `${open.length}`);
  const narrow = await kit.signedIn("narrow", "light");
  await kit.look(narrow, "/trust/requests", "trust-requests-narrow");
  for (const [i, href] of open.entries()) {
    await kit.look(owner, href, `trust-request-${i}`);
    await kit.look(narrow, href, `trust-request-${i}-narrow`);
    await page.goto(kit.base + href);
    if (await page.locator("form[action$='/propose']").count()) {
      await page.locator("form[action$='/propose'] [name=value]").fill("Meera Rao");
      await submit(page, "/propose");
    }
    if (await page.locator("form[action$='/answer']").count()) {
      await page.locator("form[action$='/answer'] [name=text]").fill("We looked into it, and have changed how we call.");
      await submit(page, "/answer");
    }
    for (const step of ["/approve", "/run"]) {
      if (await page.locator(`form[action$="${step}"]`).count()) await submit(page, step);
    }
    await kit.seen(owner, `trust-request-${i}-done`);
  }
  await kit.look(narrow, "/trust/requests?show=closed", "trust-requests-closed-narrow");
  await narrow.context.close();
  for (const [kind, { view, status, axed }] of asked) {
    await view.page.goto(status);
    await kit.seen(view, `ask-${kind}-end`, axed);
    if (kind !== "complaint") kit.check(`${kind} ends with a receipt`, (await view.page.locator("a[href$='/receipt']").count()) === 1, await view.page.locator("main").innerText());
    if (await view.page.locator("form[action$='/package']").count()) await fetching(kit, view, owner, kind);
    await view.context.close();
  }
}

// fetching takes home the package of a request, with a fresh code.
async function fetching(kit, view, owner, kind) {
  await submit(view.page, "/send");
  await kit.seen(view, `ask-${kind}-package`);
  await view.page.locator("[name=code]").fill((await code(owner, kit.base, mailed(kind))) ?? "");
  const saved = view.page.waitForEvent("download", { timeout: 15_000 }).catch(() => undefined);
  await view.page.locator("main form[action$='/package'] button").click();
  kit.check(`the package of ${kind} comes down`, Boolean(await saved));
}

// byKeyboard goes with the Tab key until it stands on what is wanted.
async function byKeyboard(kit, page, what, wanted) {
  const last = page.locator(wanted).last();
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    if (await last.evaluate((e) => e === document.activeElement)) return kit.check(`${what} is done with the keyboard`, true);
  }
  kit.check(`${what} is done with the keyboard`, false, `${wanted} is not reached`);
}

// preferring finds a person's choices at the desk, opens their link on a phone, and stops everything.
export async function preferring(kit, owner) {
  await owner.page.goto(`${kit.base}/trust/consent`);
  await owner.page.locator("[name=person]").fill(mailed("choices"));
  await send(owner.page, owner.page.locator("main form button").last());
  await kit.seen(owner, "trust-consent-person");
  const link = new URL(await owner.page.locator("#preference-link").evaluate((e) => e.value ?? e.textContent)).pathname;
  const narrow = await kit.signedIn("narrow", "dark");
  await kit.look(narrow, new URL(owner.page.url()).pathname, "trust-consent-person-narrow");
  await narrow.context.close();
  for (const [size, scheme] of [["wide", "dark"], ["narrow", "light"]]) {
    const view = await kit.open(size, scheme);
    await kit.look(view, link, `preferences-${size}-${scheme}`);
    if (size === "narrow") {
      await byKeyboard(kit, view.page, "saving the choices", `main form[action="${link}"] button`);
      await view.page.locator("main input[type=checkbox]").first().check();
      await submit(view.page, link);
      await kit.seen(view, "preferences-saved");
      await submit(view.page, "/stop");
      await kit.seen(view, "preferences-stopped");
      kit.check("stopping leaves no box ticked", (await view.page.locator("main input[type=checkbox]:checked").count()) === 0);
      await kit.look(view, `${link}/unsubscribe/marketing`, "preferences-unsubscribe");
    }
    await view.context.close();
  }
}

// heldNumber is of somebody whom filing puts under a legal hold.
export const heldNumber = "+91 98450 10002";

// filing makes one of each file an officer keeps: a hold, an incident, a request of an authority.
export async function filing(kit, owner) {
  const { page } = owner;
  const made = [];
  const file = async (path, fields, more) => {
    await page.goto(kit.base + path);
    for (const [name, value] of Object.entries(fields)) await page.locator(`main [name=${name}]`).fill(value);
    await more();
    await send(page, page.locator("main form .form-actions button").last());
    const at = new URL(page.url()).pathname;
    kit.check(`${path} makes a file`, at !== path, await page.locator(".error").allInnerTexts().then((all) => all.join(" ")));
    made.push(at);
  };
  const day = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  await file("/trust/holds/new", { case: "Rao against Asha Traders", reason: "A suit about calls in spring.", ends: day(90) }, async () => {
    await page.locator("[name=scope][value=case]").check();
    await page.locator("[name=persons]").fill(heldNumber);
    await page.locator("[name=owner]").selectOption({ index: 1 });
  });
  await file("/trust/incidents/new", { title: "A phone was lost on the train", text: "The phone of one agent is missing since the morning. It was locked." }, async () => {
    await page.locator("[name=categories]").first().check();
  });
  await file("/trust/legal/new", { authority: "Commissioner of Police, Pune", law: "BNSS section 94", asked: "Calls of one number in March." }, async () => {
    await page.locator("[name=persons]").fill("+91 98450 10003");
    await page.locator("[name=categories]").first().check();
  });
  return made;
}

// officer are the pages about privacy that need no file first.
export const officer = [
  "/trust/policy", "/trust/policy/edit", "/trust/policy/preview?lang=hi", "/trust/policy/text/register", "/trust/policy/text/recipients", "/trust/policy/text/annex", "/trust/proof",
  "/trust/consent", "/trust/requests", "/trust/requests/new", "/trust/holds", "/trust/holds/new", "/trust/attestations/new", "/trust/retention",
  "/trust/incidents", "/trust/incidents/new", "/trust/legal", "/trust/legal/new", "/trust/transfers/new", "/audit", "/me", "/me/seen", "/policy", "/settings/backups", "/settings/close",
];

// leaving takes one's own data and closes the organisation, and takes that back.
export async function leaving(kit, owner) {
  const { page } = owner;
  await page.goto(`${kit.base}/me`);
  await submit(page, "/me/data");
  await kit.seen(owner, "me-data");
  await page.goto(`${kit.base}/settings/close`);
  await page.locator("[name=name]").fill("something else");
  await submit(page, "/settings/close");
  await kit.seen(owner, "settings-close-wrong");
  kit.check("another name closes nothing", await page.locator(".field.wrong").isVisible());
}
