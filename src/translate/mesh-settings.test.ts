import { expect, test } from "vitest";
import { toMeshSettings } from "./mesh-settings.ts";

test("Istio's defaults", () => {
  expect(toMeshSettings(undefined)).toMatchObject({
    rootNamespace: "istio-system",
    proxyListenPort: 15_001,
    proxyInboundListenPort: 15_006,
    proxyHttpPort: 0,
    connectTimeoutMs: 10_000,
    outboundTrafficPolicy: "ALLOW_ANY",
    pathNormalization: "BASE",
    h2UpgradePolicy: "DO_NOT_UPGRADE",
    numTrustedProxies: 0,
    defaultHttpRetryPolicy: undefined,
    localityLb: { enabled: true, distribute: [] },
    defaultServiceExportTo: ["*"],
  });
});

test("what is written counts", () => {
  const settings = toMeshSettings({
    proxyHttpPort: 15007,
    connectTimeout: "250ms",
    outboundTrafficPolicy: { mode: "REGISTRY_ONLY" },
    pathNormalization: { normalization: "MERGE_SLASHES" },
    defaultHttpRetryPolicy: { attempts: 3, retryOn: "503" },
    defaultVirtualServiceExportTo: ["."],
    defaultConfig: {
      gatewayTopology: { numTrustedProxies: 2, forwardClientCertDetails: "SANITIZE" },
      proxyHeaders: {
        server: { disabled: true },
        requestId: { disabled: true },
        xForwardedHost: { enabled: true },
        attemptCount: { disabled: false },
      },
    },
  });
  expect(settings).toMatchObject({
    proxyHttpPort: 15007,
    connectTimeoutMs: 250,
    outboundTrafficPolicy: "REGISTRY_ONLY",
    pathNormalization: "MERGE_SLASHES",
    defaultHttpRetryPolicy: { attempts: 3, retryOn: "503" },
    defaultVirtualServiceExportTo: ["."],
    numTrustedProxies: 2,
    forwardClientCertDetails: "SANITIZE",
    proxyHeaders: {
      server: { disabled: true, value: "" },
      requestIdDisabled: true,
      attemptCountDisabled: false,
      xForwardedHost: true,
      xForwardedPort: false,
    },
  });
});
