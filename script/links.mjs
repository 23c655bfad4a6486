// Checks that every relative link in the project's Markdown leads to a file, and every #heading to a heading.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { encoding: "utf8" }).split("\n").filter(Boolean);
const slug = (heading) =>
  heading.trim().toLowerCase().replace(/[`*_]/g, "").replace(/[^\p{L}\p{N}\s-]/gu, "").replace(/\s/g, "-");
const anchors = (file) =>
  new Set(readFileSync(file, "utf8").split("\n").filter((l) => /^#{1,6} /.test(l)).map((l) => slug(l.replace(/^#+ /, ""))));

let bad = 0;
for (const file of files) {
  const text = readFileSync(file, "utf8").replace(/```[\s\S]*?```/g, "");
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)) {
    if (/^[a-z]+:/i.test(target)) continue;
    const [path, anchor] = target.split("#");
    const to = path ? normalize(join(dirname(file), decodeURIComponent(path))) : file;
    if (!existsSync(to)) {
      console.error(`${file}: the link to ${target} leads nowhere`);
      bad++;
    } else if (anchor && statSync(to).isFile() && to.endsWith(".md") && !anchors(to).has(anchor)) {
      console.error(`${file}: ${to} has no heading #${anchor}`);
      bad++;
    }
  }
}
process.exit(bad ? 1 : 0);
