import { describe, expect, test } from "vitest";
import { routeTable } from "../testing/config.ts";
import { compileLookup, duplicateDomain } from "./route-table.ts";

const host = (name: string, ...domains: string[]) => ({ ...(routeTable([]).virtualHosts[0] as never as object), name, domains }) as never;

describe("compileLookup", () => {
  const hosts = [
    host("any", "*"),
    host("exact", "Shop.example.com"),
    host("suffix", "*.example.com"),
    host("longer", "*.a.example.com"),
    host("prefix", "shop.*"),
    host("six", "[::1]"),
  ];
  const ignoring = compileLookup(hosts, true);

  test.each([
    ["shop.example.com", "exact"],
    ["SHOP.EXAMPLE.COM:8080", "exact"],
    ["x.example.com", "suffix"],
    ["x.a.example.com", "longer"],
    [".example.com", "any"],
    ["shop.org", "prefix"],
    ["shop.", "any"],
    ["shop.example.com.", "prefix"],
    ["shop.example.com:", "exact"],
    ["shop.example.com:abc", "exact"],
    ["[::1]:80", "six"],
    ["[::1]", "six"],
    ["", "any"],
  ])("%j is %s", (authority, name) => {
    expect(ignoring(authority)?.name).toBe(name);
    // Remembered answers are the same ones.
    expect(ignoring(authority)?.name).toBe(name);
  });

  test("without ignoring ports a port is part of the name", () => {
    const lookup = compileLookup([host("plain", "a"), host("port", "a:81")], false);
    expect(lookup("a:81")?.name).toBe("port");
    expect(lookup("a:80")).toBeUndefined();
  });
});

test("duplicateDomain ignores case", () => {
  expect(duplicateDomain([host("a", "X.com"), host("b", "x.COM")])).toBe("x.COM");
  expect(duplicateDomain([host("a", "x.com", "y.com")])).toBeUndefined();
});
