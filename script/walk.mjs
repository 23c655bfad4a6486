// Walks the pages of a running server in a real browser as a person would: node script/walk.mjs CHROMIUM LINK FOLDER
// Looks at every page wide and narrow, by day and by night, for errors, cut content and what axe calls serious; imports a file;
// changes language; uses the keyboard. Pictures go to FOLDER when one is given. A fourth word, calls, leads or trust, walks only
// that part. The last line says how it went.
import { readFileSync, mkdirSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { archiving, attesting, closing, ending, judging, publishing } from "./officer.mjs";
import { walking } from "./leads.mjs";
import { asking, filing, heldNumber, leaving, officer, preferring, publicAddress, readable } from "./trust.mjs";

const [program, link, folder, part] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const base = new URL(link).origin;
if (folder) mkdirSync(folder, { recursive: true });

let passed = 0;
const failures = [];
function check(what, ok, detail = "") {
  if (ok) passed++;
  else failures.push(`${what}${detail ? `: ${detail}` : ""}`);
}

const browser = await chromium.launch({
  executablePath: program,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

async function open(size, scheme) {
  const context = await browser.newContext({ viewport: sizes[size], colorScheme: scheme, locale: "en-IN", timezoneId: "Asia/Kolkata", reducedMotion: "reduce" });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (e) => complaints.push(e.message));
  page.on("console", (m) => m.type() === "error" && complaints.push(m.text()));
  page.on("requestfailed", (r) => {
    if (r.failure()?.errorText !== "net::ERR_ABORTED") complaints.push(`${r.url()} ${r.failure()?.errorText}`);
  });
  return { context, page, complaints };
}

// look opens one page, checks it and takes its picture.
async function look(view, path, name, axed = true) {
  view.complaints.length = 0;
  const answer = await view.page.goto(base + path, { waitUntil: "load" });
  check(`${name} opens`, answer && answer.status() < 400, `${path} gave ${answer?.status()}`);
  await seen(view, name, axed);
  check(`${name} runs without errors`, view.complaints.length === 0, view.complaints.join(" | ").slice(0, 400));
}

// seen checks the page that is open and takes its picture. Of pages that differ in words alone axe looks at one.
async function seen({ page }, name, axed = true) {
  check(`${name} has one heading`, (await page.locator("h1").count()) === 1, page.url());
  const marks = await page.locator("main").first().innerText().then((text) => /<\/?[a-z]+>|\*\*|\{\{|%!/.exec(text)?.[0]);
  check(`${name} shows no marks of a program`, !marks, marks);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(`${name} fits its window`, over <= 1, `${over} px too wide`);
  const tab = page.locator(".tabs-row [aria-current]").first();
  if (await tab.count()) {
    const box = await tab.boundingBox();
    check(`${name} shows its tab`, box && box.x >= 0 && box.x + box.width <= page.viewportSize().width + 1, JSON.stringify(box));
  }
  if (axed) await accessible(page, name);
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

async function accessible(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const bad = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  check(`${name} is accessible`, bad.length === 0, bad.map((v) => `${v.id} (${v.nodes.length}×): ${v.nodes[0].target} ${v.nodes[0].html.slice(0, 160)}`).join("; "));
}

async function signedIn(size, scheme) {
  const view = await open(size, scheme);
  await view.context.addCookies(cookies);
  return view;
}

// first signs in by the one-time link, as it is printed.
async function first() {
  const view = await open("wide", "light");
  await view.page.goto(link);
  await view.page.locator("main form button").first().click();
  await view.page.waitForLoadState("load");
  check("the one-time link leads to Today", new URL(view.page.url()).pathname === "/", view.page.url());
  return view;
}

// places gathers the pages to look at: those of the navigation, and one of each kind that they lead to.
async function places({ page }) {
  const found = new Map();
  const add = (href) => {
    const url = new URL(href, base);
    if (url.origin !== base || /\.(csv|xlsx|json)$|^\/(assets|api|logo)|rejected$/.test(url.pathname)) return;
    const kind = url.pathname.replace(/\/(cal|mem|dev|imp|tea|lin|tok)_[^/]+/g, "/$1").replace(/\/numbers\/[^/]+/, "/numbers/one");
    if (!found.has(kind)) found.set(kind, url.pathname);
  };
  const gather = async () => {
    for (const href of await page.locator("a[href^='/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) add(href);
  };
  await gather();
  for (const path of ["/missed", "/calls", "/reports", "/leaderboard", "/people", "/devices", "/imports", "/settings", "/account"]) {
    await page.goto(base + path);
    await gather();
  }
  for (const path of [...found.values()]) {
    if (!/\/(numbers|calls|people|agents|devices|settings)\//.test(path)) continue;
    await page.goto(base + path);
    await gather();
  }
  return found;
}

const nameOf = (kind) => (kind === "/" ? "today" : kind.slice(1).replaceAll("/", "-"));

// importing drops a call log, tries it out, and imports it; the same file again adds nothing.
async function importing({ page }) {
  const now = Date.now();
  const calls = Array.from({ length: 20 }, (_, i) =>
    `<call number="+9198450${String(10000 + i)}" duration="${i * 7}" date="${now - (i + 1) * 3600_000}" type="${(i % 3) + 1}" presentation="1" readable_date="x" contact_name="(Unknown)" />`);
  const file = join(mkdtempSync(join(tmpdir(), "walk-")), "calls-20260401.xml");
  writeFileSync(file, `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><calls count="20">${calls.join("")}</calls>`);
  const drop = async (button) => {
    await page.goto(`${base}/imports`);
    await page.locator("input[type=file]").setInputFiles(file);
    await page.waitForURL(/\/files\//);
    await page.locator("#f-agent").selectOption({ index: 1 });
    await page.locator(`main form button${button}`).click();
    await page.waitForURL(/\/imports\/imp_/);
    await page.waitForFunction(() => !document.querySelector("#watched[hx-get]"), undefined, { timeout: 20_000 });
    return page.locator(".tile-figure").allInnerTexts();
  };
  const dry = await drop("[name=dry]");
  check("trying out counts 20 new calls", dry[1]?.trim() === "20", dry.join(" "));
  await page.locator("main form button.btn-primary").first().click();
  await page.waitForURL(/\/imports\/imp_/);
  await page.waitForFunction(() => !document.querySelector("#watched[hx-get]"), undefined, { timeout: 20_000 });
  const real = await page.locator(".tile-figure").allInnerTexts();
  check("importing adds 20 calls", real[1]?.trim() === "20", real.join(" "));
  const again = await drop(".btn-primary");
  check("the same file again adds nothing", again[1]?.trim() === "0" && again[2]?.trim() === "20", again.join(" "));
  if (folder) await page.screenshot({ path: join(folder, "import-done.png"), fullPage: true });
}

async function keyboard({ page }) {
  await page.goto(base + "/");
  await page.keyboard.press("Tab");
  check("the first stop of the keyboard skips to the content", (await page.evaluate(() => document.activeElement?.className)) === "skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("/");
  await page.locator("#palette[open]").waitFor();
  await page.keyboard.type("0001");
  await page.locator("#palette [data-remote] a, #palette .nothing").first().waitFor();
  check("the palette answers", true);
  if (folder) await page.screenshot({ path: join(folder, "palette.png") });
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await page.waitForURL(/\/missed/);
  check("g m leads to the missed callers", true);
}

// translated has somebody choose Hindi, and looks at pages.
async function translated(view, paths) {
  await view.page.goto(base + "/");
  await view.page.evaluate(() => {
    const form = [...document.querySelectorAll("form[action='/language']")].find((f) => f.querySelector("[name=locale]").value === "hi");
    form.requestSubmit();
  });
  await view.page.waitForFunction(() => document.documentElement.lang.startsWith("hi"));
  for (const path of paths) {
    await look(view, path, `hindi-${nameOf(path)}`);
    const title = await view.page.locator("h1").innerText();
    check(`${path} is Hindi`, /[\u0900-\u097f]/.test(title), title);
  }
}

// looking looks at pages in both sizes and both themes; without pictures not in every pair of them.
async function looking(pages) {
  const looks = folder ? [["wide", "light"], ["wide", "dark"], ["narrow", "light"], ["narrow", "dark"]] : [["wide", "light"], ["narrow", "dark"]];
  for (const [size, scheme] of looks) {
    const view = await signedIn(size, scheme);
    for (const [kind, path] of pages) await look(view, path, `${nameOf(kind)}-${size}-${scheme}`);
    await view.context.close();
  }
}

const kit = { base, check, look, seen, open, signedIn, thorough: Boolean(folder) };

// trust walks what is about privacy.
async function trust(start) {
  const privacy = await publicAddress(start, base);
  const files = await filing(kit, start);
  await asking(kit, privacy, start);
  await preferring(kit, start);
  await attesting(kit, start);
  await ending(kit, start, files.find((path) => path.includes("/incidents/")));
  await judging(kit, start, privacy, heldNumber);
  await archiving(kit, start);
  await publishing(kit, start, privacy);
  await leaving(kit, start);
  await readable(kit, privacy);
  await looking([...officer, ...files].map((path) => [path.replace(/\/[a-z]+_[0-9a-z]+$/, "/one").replace(/[?=]/g, "-"), path]));
}

// calls walks what is about calls, and the pages for signing in.
async function calls(start) {
  await importing(start);
  await keyboard(start);
  const found = await places(start);
  console.error(`${found.size} pages: ${[...found.values()].join(" ")}`);
  await looking(found);
  await translated(start, ["/", "/missed", "/reports", "/imports", "/people"]);
  for (const path of ["/sign-in", "/sign-up", "/forgot", "/terms"]) {
    for (const size of Object.keys(sizes)) {
      const view = await open(size, "light");
      await look(view, path, `${nameOf(path)}-${size}`);
      await view.context.close();
    }
  }
}

// leads walks what is about contacts, leads and follow-ups.
async function leads(start) {
  const pages = await walking(kit, start);
  await looking(pages.map((path) => [path.replace(/\/(con|led|fol)_[0-9a-z]+/g, "/one").replace(/[?=]/g, "-"), path]));
  await translated(start, ["/leads", "/leads/table", "/contacts", "/day", "/leads/settings", "/leads/settings/assignment", "/leads/settings/follow-ups", "/reports/lead_conversion"]);
}

// timed runs a walk to its end, or says where it broke off.
async function timed(name, walk, view) {
  const began = Date.now();
  try {
    await walk(view);
  } catch (e) {
    check(`the walk of ${name} comes to its end`, false, `${view.page.url()} ${e.stack}`);
  }
  console.error(`${name}: ${Math.round((Date.now() - began) / 1000)} s`);
}

const start = await first();
const cookies = await start.context.cookies();
// Both go at the same time: each waits for the server and the browser in turn.
await Promise.all(Object.entries({ trust, calls, leads }).filter(([name]) => !part || part === name).map(async ([name, walk]) => timed(name, walk, await signedIn("wide", "light"))));
if (!part || part === "trust") await timed("closing", (view) => closing(kit, view), await signedIn("wide", "light"));
await browser.close();
for (const f of failures) console.log(`FAILED ${f}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
