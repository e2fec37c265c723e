import { expect, test } from "vitest";
import { create, SecretSchema, toBinary } from "../envoy-api/index.ts";
import { TYPE_URL } from "../kit/index.ts";
import { toConfigDump } from "./config-dump.ts";

test("private keys do not come out, certificates do", () => {
  const bytes = (text: string) => ({ specifier: { case: "inlineBytes" as const, value: Buffer.from(text) } });
  const secret = create(SecretSchema, {
    name: "kubernetes://s",
    type: { case: "tlsCertificate", value: { certificateChain: bytes("public"), privateKey: bytes("private") } },
  });
  const resource = { name: "kubernetes://s", version: "1", bytes: toBinary(SecretSchema, secret) };
  const { byType } = toConfigDump("p", { byType: new Map([[TYPE_URL.secret, new Map([[resource.name, resource]])]]) });
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  expect(byType[TYPE_URL.secret]?.[0]?.resource).toMatchObject({
    tls_certificate: { certificate_chain: { inline_bytes: base64("public") }, private_key: { inline_bytes: base64("[redacted]") } },
  });
});
