// In place of Bookinfo's details, ratings and reviews: the same paths and JSON shapes, content of our own.
import type { App, AppRequest } from "./app.ts";
import { callService, propagatedHeaders } from "./call.ts";

export const TITLE = "The Comedy of Errors";

function idOf(path: string, root: string): number | undefined {
  const match = new RegExp(`^/${root}/(\\d{1,9})$`).exec(path);
  return match === null ? undefined : Number(match[1]);
}

export const details: App = ({ path }) => {
  if (path === "/health") return { json: { status: "Details is healthy" } };
  const id = idOf(path, "details");
  if (id === undefined) return { status: 400, json: { error: "please provide numeric product id" } };
  return {
    json: {
      id,
      author: "William Shakespeare",
      year: 1595,
      type: "paperback",
      pages: 200,
      publisher: "PublisherA",
      language: "English",
      "ISBN-10": "1234567890",
      "ISBN-13": "123-1234567890",
    },
  };
};

export const ratings: App = ({ path }) => {
  if (path === "/health") return { json: { status: "Ratings is healthy" } };
  const id = idOf(path, "ratings");
  if (id === undefined) return { status: 400, json: { error: "please provide numeric product ID" } };
  return { json: { id, ratings: { Reviewer1: 5, Reviewer2: 4 } } };
};

/** v1 shows no stars, v2 black ones, v3 red ones. */
export function createReviews(color: "black" | "red" | undefined): App {
  return async (request) => {
    if (request.path === "/health") return { json: { status: "Reviews is healthy" } };
    const id = idOf(request.path, "reviews");
    if (id === undefined) return { status: 400, json: { error: "please provide numeric product id" } };
    const stars = color === undefined ? undefined : await starsOf(id, request);
    const rating = (reviewer: string): object => {
      if (color === undefined) return {};
      if (stars === undefined) return { rating: { error: "Ratings service is currently unavailable" } };
      return { rating: { stars: Object.hasOwn(stars, reviewer) ? stars[reviewer] : -1, color } };
    };
    return {
      json: {
        id: String(id),
        podname: request.identity.pod,
        clustername: "local",
        reviews: [
          { reviewer: "Reviewer1", text: "A play that one laughs with from the first door to the last.", ...rating("Reviewer1") },
          { reviewer: "Reviewer2", text: "Two pairs of twins are two more than a plot can bear. Good fun.", ...rating("Reviewer2") },
        ],
      },
    };
  };
}

async function starsOf(id: number, request: AppRequest): Promise<Readonly<Record<string, number>> | undefined> {
  const host = process.env["RATINGS_HOSTNAME"] ?? "ratings";
  const answer = await callService(`${host}:9080`, `/ratings/${id}`, {
    headers: propagatedHeaders(request.headers),
    timeoutMs: 10_000,
    proxy: process.env["HTTP_PROXY"],
  });
  if (answer.status !== 200) return undefined;
  return (answer.json as { ratings?: Readonly<Record<string, number>> } | undefined)?.ratings;
}
