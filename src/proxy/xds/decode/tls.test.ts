import { expect, test } from "vitest";
import { decodeJson } from "../../wire/decode-json.ts";
import { Reader } from "../../wire/reader.ts";
import { decodeUpstreamTls } from "./tls.ts";

const upstream = (context: object): unknown =>
  decodeUpstreamTls(
    new Reader(
      decodeJson("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", { common_tls_context: {}, sni: "a.example", ...context }),
    ),
  );

test("a check that the TLS library does not make is refused by name, not left out", () => {
  expect(() => upstream({ enforce_rsa_key_usage: true })).toThrow("enforce_rsa_key_usage: is not supported");
  expect(upstream({ enforce_rsa_key_usage: false })).toEqual(upstream({}));
});

// transport/tls.test.ts shows that none is kept.
test.each([0, 1, 100])("at most %i sessions are kept: any bound holds where none is", (count) => {
  expect(upstream({ max_session_keys: count })).toEqual(upstream({}));
});
