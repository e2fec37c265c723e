import { expect, test } from "vitest";
import { parseHostPort, parseOptions } from "./options.ts";

test.each([
  ["127.0.0.1:15010", { host: "127.0.0.1", port: 15010 }],
  ["[::1]:0", { host: "[::1]", port: 0 }],
  [":8080", { host: "127.0.0.1", port: 8080 }],
  ["localhost:1", { host: "localhost", port: 1 }],
])("%s", (text, expected) => {
  expect(parseHostPort(text)).toEqual(expected);
});

test.each(["15010", "host:", "host:65536", "a:b:1", "::1:80", "host:-1"])("refused: %s", (text) => {
  expect(() => parseHostPort(text)).toThrow(/HOST:PORT/);
});

test("the command line of a measured run, and the defaults", () => {
  const argv = "--config c --mesh-config m --xds 127.0.0.1:15010 --admin 127.0.0.1:18080 --state s".split(" ");
  expect(parseOptions(argv)).toMatchObject({
    config: "c",
    meshConfig: "m",
    xds: { port: 15010 },
    admin: { host: "127.0.0.1", port: 18080 },
    state: "s",
  });
  expect(parseOptions([])).toMatchObject({
    xds: { host: "127.0.0.1", port: 15010 },
    admin: { host: "127.0.0.1", port: 15014 },
    printAddresses: false,
  });
});
