// The stand-ins by name, as the catalogue names them.
import type { App } from "./app.ts";
import { createReviews, details, ratings } from "./bookinfo.ts";
import { demo, helloworld } from "./demo.ts";
import { httpbin } from "./httpbin.ts";
import { productpage } from "./productpage.ts";

export const APPS: Readonly<Record<string, App>> = {
  demo,
  helloworld,
  httpbin,
  productpage,
  details,
  ratings,
  "reviews-v1": createReviews(undefined),
  "reviews-v2": createReviews("black"),
  "reviews-v3": createReviews("red"),
};
