// In place of mritd/demo: shows which version answered, where, and the headers it got.
import type { App } from "./app.ts";
import { renderPage, renderTable } from "./page.ts";

export const demo: App = ({ identity, method, path, headers }) => {
  const rows = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return {
    json: { ...identity, method, path, headers },
    html: renderPage(
      `${identity.app} ${identity.version}`,
      identity,
      `<p>Pod ${identity.pod} in namespace ${identity.namespace} answered this ${method === "GET" ? "GET" : "request"}.</p>${renderTable(rows)}`,
    ),
  };
};

export const helloworld: App = ({ identity, path }) => {
  if (path === "/health") return { text: "Helloworld is healthy\n" };
  if (path !== "/hello") return { status: 404, text: "not found\n" };
  return { text: `Hello version: ${identity.version}, instance: ${identity.pod}\n` };
};
