// The frame of every HTML page of the stand-ins.
import { escapeHtml, type Identity } from "./app.ts";

const HUES: Readonly<Record<string, number>> = { v1: 215, v2: 150, v3: 345 };

/** `body` is HTML. */
export function renderPage(title: string, identity: Identity, body: string): string {
  const hue = HUES[identity.version] ?? 45;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #222; }
header { background: hsl(${hue} 60% 38%); color: #fff; padding: 1.5rem 2rem; }
main { padding: 1rem 2rem; }
td, th { text-align: left; padding: .15rem 1.5rem .15rem 0; vertical-align: top; font-family: ui-monospace, monospace; font-size: .9rem; }
</style>
<header><h1>${escapeHtml(title)}</h1>${escapeHtml(`${identity.app} ${identity.version} · ${identity.pod}`)}</header>
<main>
${body}
</main>
</html>
`;
}

export function renderTable(rows: readonly (readonly [name: string, value: string])[]): string {
  return `<table>${rows.map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join("\n")}</table>`;
}
