// In place of Bookinfo's productpage: asks details and reviews, shows both, and hands the signed-in user on as `end-user`.
import type { App, AppRequest, AppResponse } from "./app.ts";
import { escapeHtml } from "./app.ts";
import { TITLE } from "./bookinfo.ts";
import { callService, type CallResult, propagatedHeaders } from "./call.ts";
import { renderPage, renderTable } from "./page.ts";

interface Review {
  readonly reviewer: string;
  readonly text: string;
  readonly rating?: { readonly stars?: number; readonly color?: string; readonly error?: string };
}

interface Reviews {
  readonly podname?: string;
  readonly reviews?: readonly Review[];
}

const PRODUCT = { id: 0, title: TITLE, descriptionHtml: "A farce of mistaken identity." };
const COLORS: Readonly<Record<string, string>> = { black: "#111", red: "#c22" };

/** Who signed in, by cookie; a caller may also send `end-user` itself. */
function userOf(request: AppRequest): string | undefined {
  const sent = request.headers["end-user"];
  if (sent !== undefined) return String(sent);
  const cookie = /(?:^|;\s*)user=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  // Form encoding: never throws, unlike decodeURIComponent.
  return cookie === undefined ? undefined : (new URLSearchParams(`user=${cookie}`).get("user") ?? undefined);
}

async function ask(service: "details" | "reviews" | "ratings", request: AppRequest): Promise<CallResult> {
  const user = userOf(request);
  const host = process.env[`${service.toUpperCase()}_HOSTNAME`] ?? service;
  const options = {
    headers: { ...propagatedHeaders(request.headers), ...(user === undefined ? {} : { "end-user": user }) },
    timeoutMs: 3000,
    proxy: process.env["HTTP_PROXY"],
  };
  const first = await callService(`${host}:9080`, `/${service}/0`, options);
  return first.status === 0 && service === "reviews" ? callService(`${host}:9080`, `/${service}/0`, options) : first;
}

function passOn({ status, json, error }: CallResult): AppResponse {
  return { status: status === 0 ? 503 : status, json: json ?? { error: error ?? "no answer" } };
}

async function page(request: AppRequest): Promise<AppResponse> {
  const [details, reviews] = await Promise.all([ask("details", request), ask("reviews", request)]);
  const user = userOf(request);
  return {
    json: {
      ...request.identity,
      user: user ?? null,
      product: PRODUCT,
      details: details.json ?? { error: details.error },
      reviews: reviews.json ?? { error: reviews.error },
    },
    html: renderPage(
      TITLE,
      request.identity,
      `<p>${user === undefined ? 'Not signed in. <form method="post" action="/login"><input name="username" placeholder="user"> <button>Sign in</button></form>' : `Signed in as <b>${escapeHtml(user)}</b>. <a href="/logout">Sign out</a>`}</p>
<h2>Book details</h2>${details.status === 200 ? renderTable(Object.entries(details.json as object).map(([k, v]) => [k, String(v)] as const)) : "<p>Error fetching product details!</p>"}
<h2>Book reviews</h2>${reviews.status === 200 ? renderReviews(reviews.json as Reviews) : "<p>Error fetching product reviews!</p>"}`,
    ),
  };
}

function renderReviews({ podname, reviews = [] }: Reviews): string {
  const items = reviews.map(({ reviewer, text, rating }) => {
    const color = COLORS[rating?.color ?? ""] ?? "#111";
    const stars =
      rating?.stars === undefined
        ? escapeHtml(rating?.error ?? "")
        : `<span style="color:${color}">${"★".repeat(Math.max(0, Math.min(5, rating.stars)))}</span>`;
    return `<blockquote>${escapeHtml(text)}<br><small>${escapeHtml(reviewer)}</small> ${stars}</blockquote>`;
  });
  return `${items.join("\n")}<p>Reviews served by: <code>${escapeHtml(podname ?? "")}</code></p>`;
}

export const productpage: App = async (request) => {
  const { path, method } = request;
  if (path === "/health") return { text: "Product page is healthy\n" };
  if (path === "/" || path === "/index.html")
    return { html: renderPage("Bookinfo", request.identity, '<p><a href="/productpage">The product page</a></p>') };
  if (path === "/productpage") return page(request);
  if (path === "/login" && method === "POST") {
    const user = new URLSearchParams(request.body).get("username") ?? "";
    return {
      status: 302,
      headers: { location: "/productpage", "set-cookie": `user=${encodeURIComponent(user)}; Path=/; HttpOnly; SameSite=Lax` },
    };
  }
  if (path === "/logout") return { status: 302, headers: { location: "/productpage", "set-cookie": "user=; Path=/; Max-Age=0" } };
  if (path === "/api/v1/products") return { json: [PRODUCT] };
  if (path === "/api/v1/products/0") return passOn(await ask("details", request));
  if (path === "/api/v1/products/0/reviews") return passOn(await ask("reviews", request));
  if (path === "/api/v1/products/0/ratings") return passOn(await ask("ratings", request));
  return { status: 404, text: "not found\n" };
};
