// Builds web/assets/dist: styles, islands, icons and fonts under names that carry a hash of their content, and
// manifest.json that maps the plain names to them. `--watch` builds again when a source changes.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { compile, optimize } from "@tailwindcss/node";
import { Scanner } from "@tailwindcss/oxide";
import * as esbuild from "esbuild";
import { icons } from "./src/icons.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const src = join(here, "src");
const dist = join(here, "dist");
const npm = (path) => join(root, "node_modules", path);

const fonts = [
  {
    name: "noto-sans-latin.woff2",
    file: npm("@fontsource-variable/noto-sans/files/noto-sans-latin-wght-normal.woff2"),
    range: "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2190-2193,U+2212,U+2215,U+FEFF,U+FFFD",
  },
  {
    name: "noto-sans-latin-ext.woff2",
    file: npm("@fontsource-variable/noto-sans/files/noto-sans-latin-ext-wght-normal.woff2"),
    range: "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF",
  },
  {
    name: "noto-sans-devanagari.woff2",
    file: npm("@fontsource-variable/noto-sans-devanagari/files/noto-sans-devanagari-devanagari-wght-normal.woff2"),
    range: "U+0900-097F,U+1CD0-1CF9,U+200C-200D,U+20A8,U+20B9,U+25CC,U+A830-A839,U+A8E0-A8FF",
  },
];

function hashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}.${hash}${name.slice(dot)}`;
}

async function fontFaces(put) {
  const faces = [];
  for (const font of fonts) {
    const name = put(font.name, await readFile(font.file));
    faces.push(
      `@font-face{font-family:"Noto Sans";font-style:normal;font-display:swap;font-weight:100 900;` +
        `src:url("./${name}") format("woff2");unicode-range:${font.range}}`,
    );
  }
  return faces.join("\n");
}

async function styles(faces) {
  const source = await readFile(join(src, "app.css"), "utf8");
  const compiler = await compile(source, { base: src, onDependency() {} });
  const scanner = new Scanner({ sources: compiler.sources });
  const css = compiler.build(scanner.scan());
  return faces + optimize(css, { minify: true }).code;
}

async function script(entry) {
  const built = await esbuild.build({
    entryPoints: [join(src, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    legalComments: "none",
  });
  return built.outputFiles[0].contents;
}

// sprite draws the icons that pages use into one file; each is referred to as <use href="…#name">.
async function sprite() {
  const symbols = [];
  for (const [name, file] of Object.entries(icons)) {
    const svg = await readFile(npm(`lucide-static/icons/${file}.svg`), "utf8");
    const inner = svg.replace(/<!--.*?-->/gs, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s*\n\s*/g, "")}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

// licences gathers the terms of all that the built files contain.
async function licences() {
  const parts = ["htmx.org", "tailwindcss", "daisyui", "lucide-static", "sortablejs", ...["noto-sans", "noto-sans-devanagari"].map((f) => `@fontsource-variable/${f}`)];
  const texts = await Promise.all(parts.map(async (part) => `== ${part}\n\n${await readFile(npm(`${part}/LICENSE`), "utf8")}`));
  return texts.join("\n\n");
}

async function build() {
  const began = Date.now();
  const files = new Map();
  const manifest = {};
  const put = (name, content) => {
    const out = hashed(name, content);
    manifest[name] = out;
    files.set(out, content);
    return out;
  };
  const faces = await fontFaces(put);
  const [css, app, board, theme, svg] = await Promise.all([styles(faces), script("app.ts"), script("board.ts"), script("theme.ts"), sprite()]);
  put("app.css", css);
  put("app.js", app);
  put("board.js", board); // only boards need what drags
  put("theme.js", theme);
  put("icons.svg", svg);
  put("mark.svg", await readFile(join(src, "mark.svg")));
  put("licences.txt", await licences());
  for (const [name, content] of [...files]) {
    if (!name.endsWith(".woff2")) files.set(`${name}.gz`, gzipSync(content, { level: 9 }));
  }
  files.set("manifest.json", JSON.stringify(manifest, null, 2) + "\n");

  await mkdir(dist, { recursive: true });
  for (const [name, content] of files) await writeFile(join(dist, name), content);
  for (const old of await readdir(dist)) {
    if (old !== ".keep" && !files.has(old)) await rm(join(dist, old));
  }
  const kib = (name) => `${name} ${(files.get(manifest[name] + ".gz").length / 1024).toFixed(1)} KiB`;
  console.log(`assets: ${["app.css", "app.js", "icons.svg"].map(kib).join(", ")} (gzip), in ${Date.now() - began} ms`);
}

await build();
if (process.argv.includes("--watch")) {
  let due;
  const again = () => {
    clearTimeout(due);
    due = setTimeout(() => build().catch((err) => console.error(err.message)), 80);
  };
  for (const dir of [src, join(root, "web/template")]) watch(dir, { recursive: true }, again);
}
