// Checks what pages claim: every code in the sources stands in docs/errors.md and the other way round, and every relative link leads somewhere.
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./steps.ts";

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

function sources(): string[] {
  return globSync("src/**/*.ts", { cwd: ROOT, exclude: (f) => f.includes("/gen") }).filter((file) => !file.endsWith(".test.ts"));
}

function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const file of sources()) {
    for (const [, code] of read(file).matchAll(/new SerinError\(\s*"([^"]+)"/g)) if (code !== undefined) codes.add(code);
  }
  return codes;
}

function errorProblems(): string[] {
  const documented = new Set([...read("docs/errors.md").matchAll(/^\| `(?!SERIN\d)([^`]+)` \|/gm)].map((m) => m[1] ?? ""));
  const used = codesInSources();
  return [
    ...[...used].filter((c) => !documented.has(c)).map((c) => `docs/errors.md: code ${c} is missing`),
    ...[...documented].filter((c) => !used.has(c)).map((c) => `docs/errors.md: code ${c} is nowhere in src`),
  ];
}

/** Each of our codes of issues has one meaning: it is written in one file, which others import it from, and explained in the table. */
function issueCodeProblems(): string[] {
  const documented = new Set([...read("docs/errors.md").matchAll(/^\| `(SERIN\d{4})` \|/gm)].map((m) => m[1] ?? ""));
  const homes = new Map<string, Set<string>>();
  for (const file of sources())
    for (const [, code = ""] of read(file).matchAll(/"(SERIN\d{4})"/g)) homes.set(code, (homes.get(code) ?? new Set()).add(file));
  return [
    ...[...homes]
      .filter(([, files]) => files.size > 1)
      .map(([code, files]) => `${code} is given in ${[...files].join(" and ")}: one code, one meaning`),
    ...[...homes.keys()].filter((code) => !documented.has(code)).map((code) => `docs/errors.md: code ${code} is missing`),
    ...[...documented].filter((code) => !homes.has(code)).map((code) => `docs/errors.md: code ${code} is nowhere in src`),
  ];
}

function linkProblems(): string[] {
  const problems: string[] = [];
  for (const file of globSync(["*.md", "docs/**/*.md", "scenarios/*.md", "examples/**/*.md"], { cwd: ROOT })) {
    for (const [, target] of read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (target === undefined || /^[a-z]+:/.test(target)) continue;
      if (!existsSync(path.join(ROOT, path.dirname(file), target))) problems.push(`${file}: link to ${target} leads nowhere`);
    }
  }
  return problems;
}

const problems = [...errorProblems(), ...issueCodeProblems(), ...linkProblems()];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
