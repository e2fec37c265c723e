// The built-in catalogue: images of well-known demos and what runs in their place on this machine. One literal table.
export type StandIn =
  /** `node dist/stand-in.js APP` */
  | { readonly run: "app"; readonly app: string }
  /** A toolbox image: the container's own command, run on this machine. */
  | { readonly run: "host" };

const CATALOGUE: readonly (readonly [image: RegExp, standIn: StandIn])[] = [
  [/^mritd\/demo$/, { run: "app", app: "demo" }],
  [/(^|\/)examples-bookinfo-productpage-v1$/, { run: "app", app: "productpage" }],
  [/(^|\/)examples-bookinfo-details-v1$/, { run: "app", app: "details" }],
  [/(^|\/)examples-bookinfo-ratings-v1$/, { run: "app", app: "ratings" }],
  [/(^|\/)examples-bookinfo-reviews-v1$/, { run: "app", app: "reviews-v1" }],
  [/(^|\/)examples-bookinfo-reviews-v2$/, { run: "app", app: "reviews-v2" }],
  [/(^|\/)examples-bookinfo-reviews-v3$/, { run: "app", app: "reviews-v3" }],
  [/(^|\/)examples-helloworld-v[12]$/, { run: "app", app: "helloworld" }],
  [/^(kennethreitz\/httpbin|kong\/httpbin|mccutchen\/go-httpbin)$/, { run: "app", app: "httpbin" }],
  [/^(curlimages\/curl|pstauffer\/curl|appropriate\/curl|governmentpaas\/curl-ssl|busybox|alpine)$/, { run: "host" }],
];

/** `image` with or without registry of Docker Hub, tag and digest. */
export function findStandIn(image: string): StandIn | undefined {
  const name = withoutTag(image)
    .replace(/^(docker\.io|index\.docker\.io|ghcr\.io)\//, "")
    .replace(/^library\//, "");
  return CATALOGUE.find(([pattern]) => pattern.test(name))?.[1];
}

export function withoutTag(image: string): string {
  return image.replace(/@sha256:[0-9a-f]+$/, "").replace(/:[^:/]+$/, "");
}
