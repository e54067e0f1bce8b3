// Copies the few files the maps need from node_modules to vendor/, with licences and SHA-256 sums.
// Run: npm ci && npm run vendor
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { join, relative } from "node:path";

const FILES = {
  leaflet: ["dist/leaflet.js", "dist/leaflet.css", "LICENSE"],
  "protomaps-leaflet": ["dist/protomaps-leaflet.js"],
};
const here = import.meta.dirname;
const vendor = join(here, "vendor");
rmSync(vendor, { recursive: true, force: true });

for (const [name, files] of Object.entries(FILES)) {
  const { version } = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json")));
  const target = join(vendor, `${name}-${version}`);
  mkdirSync(target, { recursive: true });
  for (const file of files) {
    const text = readFileSync(join(here, "node_modules", name, file), "utf8");
    // Source maps are not shipped, so a reference to one would only be a 404.
    writeFileSync(join(target, file.replace("dist/", "")), text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
  }
}

// protomaps-leaflet is one bundle: the licences of everything inside travel with it.
const lock = JSON.parse(readFileSync(join(here, "package-lock.json")));
const notices = Object.entries(lock.packages)
  .filter(([path]) => path && !path.includes("@types/"))
  .map(([path, entry]) => {
    const folder = join(here, path);
    const file = existsSync(folder) && readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : "(no licence file in the package)";
    return `== ${path.replace("node_modules/", "")} ${entry.version} — ${entry.license ?? "see below"}\n\n${text}\n`;
  });
writeFileSync(join(vendor, "LICENCES.txt"), notices.join("\n"));

const sums = readdirSync(vendor, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(vendor, join(entry.parentPath, entry.name)))
  .sort()
  .map((file) => `${createHash("sha256").update(readFileSync(join(vendor, file))).digest("hex")}  ${file}`);
writeFileSync(join(vendor, "SHA256SUMS"), sums.join("\n") + "\n");
