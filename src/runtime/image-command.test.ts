import { describe, expect, test } from "vitest";
import type { Container } from "../resources/index.ts";
import { toCommand } from "./image-command.ts";
import { parseImageMap } from "./image-map.ts";
import { parseShellWords } from "./shell-words.ts";

const map = parseImageMap(
  "images:\n  shop: node server.js\n  shop:2: [node, 'server two.js']\n  tools: {command: ./run, cwd: app, env: {A: 1}}\n",
  "/cfg/serin-images.yaml",
);

function commandOf(container: Partial<Container>, annotations: Record<string, string> = {}): unknown {
  const result = toCommand({
    container: { name: "c", image: "x", ...container },
    annotations,
    imageMap: map,
    standIn: ["node", "stand-in.js"],
    ownEnv: {},
    cwd: "/here",
  });
  return result.ok ? result.value.command : result.error;
}

describe("what runs in place of an image", () => {
  test("an annotation is the whole command, one for this container before one for all", () => {
    expect(commandOf({ image: "shop", args: ["-v"] }, { "serin.dev/command": "go run ." })).toEqual(["go", "run", "."]);
    expect(commandOf({}, { "serin.dev/command": "a", "serin.dev/command.c": '["b", "c d"]' })).toEqual(["b", "c d"]);
    expect(commandOf({}, { "serin.dev/command": "[1]" })).toContain("no JSON list");
  });
  test("a mapped image gets the YAML's args; an entry with the tag goes first", () => {
    expect(commandOf({ image: "shop:1", args: ["-v"], command: ["/bin/server"] })).toEqual(["node", "server.js", "-v"]);
    expect(commandOf({ image: "shop:2" })).toEqual(["node", "server two.js"]);
  });
  test.each([
    ["mritd/demo", "demo"],
    ["docker.io/mritd/demo:latest", "demo"],
    ["docker.io/istio/examples-bookinfo-reviews-v3:1.20.3", "reviews-v3"],
    ["registry.istio.io/release/examples-bookinfo-productpage-v1:1.20.3@sha256:0123abcd", "productpage"],
    ["docker.io/mccutchen/go-httpbin:v2.15.0", "httpbin"],
    ["localhost:5000/istio/examples-helloworld-v1:1.0", "helloworld"],
  ])("the catalogue knows %s", (image, app) => {
    expect(commandOf({ image, command: ["/in/the/image"], args: ["x"] })).toEqual(["node", "stand-in.js", app]);
  });
  test("a toolbox image runs the container's own command", () => {
    expect(commandOf({ image: "curlimages/curl", command: ["/bin/sleep", "infinity"] })).toEqual(["/bin/sleep", "infinity"]);
    expect(commandOf({ image: "curlimages/curl" })).toContain("it has none");
  });
  test("an unknown image says how to map it", () => {
    expect(commandOf({ image: "redis:7" })).toMatch(/redis:7 is not known here.*serin\.dev\/command.*--image-map/);
  });
});

describe("image map", () => {
  test("an entry may have a folder, relative to the map, and environment", () => {
    expect(map.get("tools")).toEqual({ command: ["./run"], cwd: "/cfg/app", env: { A: "1" } });
  });
  test.each([
    ["{}", "has no `images`"],
    ["images: {a: {cmd: x}}", "unknown field cmd"],
    ["images: {a: 7}", "neither text nor a list"],
    ["images: {a: 'x \"'}", "double quote"],
    ["a: [", "IMAGE_MAP_INVALID"],
  ])("%s is refused", (text, why) => {
    expect(() => parseImageMap(text, "f")).toThrow(why === "IMAGE_MAP_INVALID" ? /f: / : why);
  });
});

test.each([
  ["a  b\tc", ["a", "b", "c"]],
  [`a 'b c' "d \\"e\\" $F" g\\ h`, ["a", "b c", 'd "e" $F', "g h"]],
  [`x'' ""`, ["x", ""]],
  ["$(PORT) $HOME", ["$(PORT)", "$HOME"]],
])("words of %s", (text, words) => {
  expect(parseShellWords(text)).toEqual({ ok: true, value: words });
});

test.each(["", "  ", "a 'b", 'a "b', "a \\", "a | b", "a && b", "a > b"])("no words: %s", (text) => {
  expect(parseShellWords(text).ok).toBe(false);
});
