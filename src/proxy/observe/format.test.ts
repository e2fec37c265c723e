// What operators say was read off real Envoy 1.40's logs for the same requests.
import { describe, expect, it } from "vitest";
import { compileAccessLine } from "./access-log.ts";
import { compileFormat } from "./format.ts";
import { FLAG } from "./response-flags.ts";
import type { StreamInfo } from "./stream-info.ts";
import { compileTime } from "./time-format.ts";

const START = Date.UTC(2026, 10, 28, 10, 35, 45, 667);

function info(over: Partial<StreamInfo> = {}, request: Record<string, string> = {}, response: Record<string, string> = {}): StreamInfo {
  return {
    requestHeader: (name) => request[name],
    responseHeader: (name) => response[name],
    responseTrailer: () => undefined,
    grpcStatus: undefined,
    protocol: "HTTP/1.1",
    startWallMs: START,
    durationMs: () => 10.9,
    responseStartMs: 9.2,
    requestEndMs: 0.4,
    requestSentMs: 2.9,
    status: 200,
    flags: 0,
    details: "via_upstream",
    terminationDetails: "",
    transportFailure: "",
    bytesReceived: 5,
    bytesSent: 4,
    upstreamProtocol: "HTTP/1.1",
    upstreamHost: "127.0.0.1:29110",
    upstreamHostname: "ep.host",
    upstreamCluster: "up",
    upstreamStatName: "up;",
    upstreamLocalAddress: "127.0.0.1:53566",
    upstreamAttempts: 1,
    downstreamLocalAddress: "127.0.0.1:29101",
    downstreamDirectLocalAddress: "127.0.0.1:29101",
    downstreamRemoteAddress: "127.0.0.1:38770",
    clientAddress: "9.9.9.9:0",
    requestedServerName: "",
    downstreamTls: undefined,
    downstreamTransportFailure: "",
    upstreamTls: undefined,
    routeName: "",
    virtualHostName: "vh",
    filterChainName: "fc",
    connectionId: 7,
    streamId: "446b538f-2644-43cb-8eab-ea0746fb1466",
    logType: "DownstreamEnd",
    ...over,
  };
}

function text(source: string, of = info()): string {
  const format = compileFormat(source);
  if (!format.ok) throw new Error(format.error);
  return format.value.render(of, "-");
}

describe("operators", () => {
  it.each([
    ["%PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%", "HTTP/1.1 200 - via_upstream"],
    ["%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%", "via_upstream"],
    ["%UPSTREAM_PROTOCOL% %UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%", "HTTP/1.1 up; up"],
    ["%BYTES_RECEIVED% %BYTES_SENT% %BYTES_RETRANSMITTED% %PACKETS_RETRANSMITTED%", "5 4 0 0"],
    ["%DURATION% %REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "10 0 2 9 1"],
    ["%ROUNDTRIP_DURATION% %TRACE_ID% %SPAN_ID% %VIRTUAL_CLUSTER_NAME% %ROUTE_NAME%", "- - - - -"],
    ["[%LOCAL_REPLY_BODY%] [%CUSTOM_FLAGS%]", "[] []"],
    ["%UPSTREAM_HOST% %UPSTREAM_HOST_NAME% %UPSTREAM_HOST_NAME_WITHOUT_PORT%", "127.0.0.1:29110 ep.host ep.host"],
    ["%UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %UPSTREAM_LOCAL_PORT%", "127.0.0.1:53566 127.0.0.1 53566"],
    ["%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_PORT% [%UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID%]", "127.0.0.1:29110 29110 []"],
    ["%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(16)% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(7)%", "127.0.0.0/16 126.0.0.0/7"],
    ["%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(0)% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT(32)%", "0.0.0.0/0 127.0.0.1/32"],
    ["%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT%", "9.9.9.9:0 9.9.9.9 0"],
    ["%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_PORT% %DOWNSTREAM_DIRECT_LOCAL_PORT%", "127.0.0.1:38770 38770 29101"],
    ["%CONNECTION_ID% %STREAM_ID% %ACCESS_LOG_TYPE%", "7 446b538f-2644-43cb-8eab-ea0746fb1466 DownstreamEnd"],
    ["%GRPC_STATUS% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%", "- - -"],
    ["%DYNAMIC_METADATA(a.b)% %METADATA(DYNAMIC:a)% %FILTER_STATE(x:PLAIN)% %UPSTREAM_FILTER_STATE(x:PLAIN)%", "- - - -"],
    ["%ENVIRONMENT(SERIN_SURELY_NOT_SET)%", "-"],
    ["100%% %%x%%", "100% %x%"],
  ])("%s", (source, expected) => {
    expect(text(source)).toBe(expected);
  });

  it("a retry that failed: flags in the order in which Envoy sets them, for requests and for connections", () => {
    const flags = FLAG.UF | FLAG.URX;
    expect(text("%RESPONSE_FLAGS%", info({ flags }))).toBe("URX,UF");
    expect(text("%RESPONSE_FLAGS%", info({ flags, protocol: "" }))).toBe("UF,URX");
    expect(text("%RESPONSE_FLAGS_LONG%", info({ flags }))).toBe("UpstreamRetryLimitExceeded,UpstreamConnectionFailure");
  });

  it("without a connection the upstream has a host, but no remote address", () => {
    const failed = info({ upstreamLocalAddress: "" });
    expect(text("%UPSTREAM_HOST% %UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_PORT% %UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID%", failed)).toBe(
      "127.0.0.1:29110 - - -",
    );
  });

  it("IPv6 addresses lose their brackets with their port, and are cut to a network", () => {
    const six = info({ clientAddress: "[2001:db8:1234:5678:9abc:def0:1234:5678]:80" });
    expect(text("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(64)%", six)).toBe(
      "2001:db8:1234:5678:9abc:def0:1234:5678 2001:db8:1234:5678::/64",
    );
  });
});

describe("operators about the request", () => {
  const plain = info({}, { ":path": "/ok?a=1%20x&b=&a=2", ":authority": "h:1", "x-a": "aval" });
  const rewritten = info(
    {},
    { ":path": "/new/x?q=1", "x-envoy-original-path": "/rw/x?q=1", ":authority": "h.x", "x-envoy-original-host": "127.0.0.1:29101" },
  );
  it.each([
    ["%REQ(X-A)% %REQUEST_HEADER(x-a)% %REQ(x-a):2% %REQ(x-b?x-a)% %REQ(x-b)%", plain, "aval aval av aval -"],
    ["%QUERY_PARAM(a)% [%QUERY_PARAM(b)%] %QUERY_PARAM(c)%", plain, "1 x [] -"],
    ["%QUERY_PARAMS% %QUERY_PARAMS(ORIG)% %QUERY_PARAMS(DECODED):3%", plain, "a=1%20x&b=&a=2 a=1%20x&b=&a=2 a=1"],
    ["%PATH% %PATH(NQ)% %PATH(WQ:PATH):4% %PATH(:ORIG)%", plain, "/ok?a=1%20x&b=&a=2 /ok /ok? -"],
    ["%PATH% %PATH(NQ)% %PATH(NQ:PATH)% %PATH(WQ:ORIG)% %REQ_WITHOUT_QUERY(:path)%", rewritten, "/rw/x?q=1 /rw/x /new/x /rw/x?q=1 /new/x"],
    [
      "%REQUESTED_SERVER_NAME% %REQUESTED_SERVER_NAME(SNI_FIRST)% %REQUESTED_SERVER_NAME(HOST_FIRST:HOST)%",
      rewritten,
      "- 127.0.0.1:29101 h.x",
    ],
    ['%COALESCE({"operators": ["REQUESTED_SERVER_NAME", {"command": "REQ", "param": ":authority"}]}):2%', rewritten, "h."],
    ['%COALESCE({"operators": [{"command": "REQ", "param": ":authority", "max_length": 1}]})%', rewritten, "h"],
  ])("%s", (source, of, expected) => {
    expect(text(source, of)).toBe(expected);
  });
});

describe("refused by name", () => {
  it.each([
    "%NOPE%",
    "%REQ%",
    "%REQ()%",
    "%REQ(a?b?c)%",
    "%PATH(XX)%",
    "%QUERY_PARAM%",
    "%GRPC_STATUS(ROMAN)%",
    "%REQUESTED_SERVER_NAME(SNI_LAST)%",
    "%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(129)%",
    "%UPSTREAM_LOCAL_PORT(1)%",
    "%UPSTREAM_WIRE_BYTES_SENT%",
    "%REQUEST_HEADERS_BYTES%",
    "%COMMON_DURATION(DS_RX_BEG:DS_RX_END:ms)%",
    "%CLUSTER_METADATA(istio)%",
    "%UPSTREAM_METADATA(istio:workload)%",
    "%METADATA(ROUTE:istio)%",
    "%CEL(response.code)%",
    "%UPSTREAM_HOSTS_ATTEMPTED%",
    "%TLS_JA3_FINGERPRINT%",
    "%START_TIME(%Q)%",
    "%START_TIME(%n)%",
    "%COALESCE(x)%",
    '%COALESCE({"operators": []})%',
    '%COALESCE({"operators": ["NOPE"]})%',
    "50%",
    "%REQ(x",
  ])("%s", (source) => {
    expect(compileFormat(source).ok).toBe(false);
  });
});

describe("times", () => {
  it.each([
    ["", "2026-11-28T10:35:45.667Z"],
    ["%Y/%m/%dT%H:%M:%S%z", "2026/11/28T10:35:45+0000"],
    ["%s.%3f %f %5f", "1795862145.667 667000000 66700"],
    ["%a %A %b %B %e %j %u %w %I %p %Z %D %R %r", "Sat Saturday Nov November 28 332 6 6 10 AM UTC 11/28/26 10:35 10:35:45 AM"],
    ["%c|%x|%X|%y|%C|%h|%G|%V|%U|%g|%W|%k|%l|%P", "Sat Nov 28 10:35:45 2026|11/28/26|10:35:45|26|20|Nov|2026|48|47|26|47|10|10|am"],
  ])("%s", (pattern, expected) => {
    const format = compileTime(pattern, "utc");
    expect(format.ok && format.value(START)).toBe(expected);
  });

  it("weeks and days about the turn of a year", () => {
    const format = compileTime("%F %a %j %U %W %G-W%V-%u %I%p", "utc");
    const at = (time: number): unknown => format.ok && format.value(time);
    expect(at(Date.UTC(2027, 0, 1))).toBe("2027-01-01 Fri 001 00 00 2026-W53-5 12AM");
    expect(at(Date.UTC(2024, 11, 30, 12))).toBe("2024-12-30 Mon 365 52 53 2025-W01-1 12PM");
  });

  it("operators: the start, and when the line was written", () => {
    expect(text("%START_TIME% %START_TIME(%s)% %EMIT_TIME(%s.%3f)%")).toBe("2026-11-28T10:35:45.667Z 1795862145 1795862145.677");
    expect(text("%START_TIME_LOCAL%")).toMatch(/^2026-11-2\dT\d\d:\d\d:45\.667[+-]\d{4}$/);
    expect(text("%DOWNSTREAM_PEER_CERT_V_START(%Y)%")).toBe("-");
  });
});

describe("lines", () => {
  function line(format: Parameters<typeof compileAccessLine>[0], of = info()): string {
    const compiled = compileAccessLine(format);
    if (!compiled.ok) throw new Error(compiled.error);
    return compiled.value(of);
  }

  const LOG = { path: "-", responseFlags: undefined } as const;

  it("text ends where the format ends", () => {
    expect(line({ ...LOG, format: { kind: "text", text: "%RESPONSE_CODE%" } })).toBe("200");
  });

  it("a value cannot begin a line of its own", () => {
    const of = info({}, { "x-a": "a\nb\x1b[0m" });
    expect(line({ ...LOG, format: { kind: "text", text: "[%REQ(x-a)%]\n" } }, of)).toBe("[a\\x0ab\\x1b[0m]\n");
  });

  const template = {
    z: "%RESPONSE_CODE%",
    port: "%DOWNSTREAM_LOCAL_PORT%",
    missing: "%REQ(x-missing)%",
    mixed: "a %REQ(x-missing)% b %RESPONSE_CODE%",
    nested: { n: 5, b: true, nul: null, list: ["%RESPONSE_CODE%", "%REQ(x-missing)%", 1.5], pct: "%%" },
  };

  it("JSON: sorted, numbers as numbers, null for what is missing", () => {
    expect(line({ ...LOG, format: { kind: "json", template } })).toBe(
      '{"missing":null,"mixed":"a - b 200","nested":{"b":true,"list":[200,null,1.5],"n":5,"nul":null,"pct":"%"},"port":29101,"z":200}\n',
    );
  });

  it("omit_empty_values leaves out what is missing", () => {
    expect(line({ ...LOG, omitEmpty: true, format: { kind: "json", template } })).toBe(
      '{"mixed":"a  b 200","nested":{"b":true,"list":[200,1.5],"n":5,"pct":"%"},"port":29101,"z":200}\n',
    );
    expect(line({ ...LOG, omitEmpty: true, format: { kind: "text", text: "[%REQ(x-missing)%][%RESPONSE_FLAGS%]" } })).toBe("[][-]");
  });
});
