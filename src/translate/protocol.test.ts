import { describe, expect, test } from "vitest";
import { parseProtocol, protocolOfServicePort } from "./protocol.ts";

describe("protocol of a Service port", () => {
  test.each([
    [{ port: 80, name: "http" }, "HTTP"],
    [{ port: 80, name: "HTTP-admin" }, "HTTP"],
    [{ port: 80, name: "http2-x" }, "HTTP2"],
    [{ port: 80, name: "grpc" }, "GRPC"],
    [{ port: 80, name: "grpc-web" }, "GRPC-WEB"],
    [{ port: 80, name: "grpc-web-x" }, "GRPC-WEB"],
    [{ port: 80, name: "grpc-webby" }, "GRPC"],
    [{ port: 80, name: "httpish" }, "UNSUPPORTED"],
    [{ port: 80, name: "http", appProtocol: "tcp" }, "TCP"],
    [{ port: 80, name: "tcp", appProtocol: "kubernetes.io/h2c" }, "HTTP2"],
    [{ port: 80, appProtocol: "kubernetes.io/ws" }, "HTTP"],
    [{ port: 80 }, "UNSUPPORTED"],
    [{ port: 3306 }, "TCP"],
    [{ port: 3306, name: "http" }, "HTTP"],
    [{ port: 53, protocol: "UDP", name: "http" }, "UDP"],
  ] as const)("%j is %s", (port, expected) => expect(protocolOfServicePort(port)).toBe(expected));
});

test("a written protocol counts in any case", () => {
  expect(["http", "GRPC-Web", "MySQL", "", undefined, "hbone"].map(parseProtocol)).toEqual([
    "HTTP",
    "GRPC-WEB",
    "MYSQL",
    "UNSUPPORTED",
    "UNSUPPORTED",
    "UNSUPPORTED",
  ]);
});
