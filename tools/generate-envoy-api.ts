// Generates src/envoy-api/gen from the .proto files that @grpc/grpc-js-xds ships (Envoy API), into a git-ignored folder.
// A stamp over the inputs makes the second run a no-op.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const ROOT = path.resolve(import.meta.dirname, "..");
const OUT = path.join(ROOT, "src/envoy-api/gen");
const STAMP = path.join(OUT, ".stamp");
const DEPS = path.join(ROOT, "node_modules/@grpc/grpc-js-xds/deps");
const WORK = path.join(ROOT, ".cache/protos");

/** What we use of the Envoy API; imports of these files are generated with them. */
const ROOTS = [
  "envoy/admin/v3/config_dump.proto",
  "envoy/config/accesslog/v3/accesslog.proto",
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/config/cluster/v3/cluster.proto",
  "envoy/config/core/v3/base.proto",
  "envoy/config/endpoint/v3/endpoint.proto",
  "envoy/config/listener/v3/listener.proto",
  "envoy/config/rbac/v3/rbac.proto",
  "envoy/config/route/v3/route.proto",
  "envoy/extensions/access_loggers/file/v3/file.proto",
  "envoy/extensions/access_loggers/stream/v3/stream.proto",
  "envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.proto",
  "envoy/extensions/filters/http/cors/v3/cors.proto",
  "envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto",
  "envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto",
  "envoy/extensions/filters/http/fault/v3/fault.proto",
  "envoy/extensions/filters/http/grpc_stats/v3/config.proto",
  "envoy/extensions/filters/http/grpc_web/v3/grpc_web.proto",
  "envoy/extensions/filters/http/jwt_authn/v3/config.proto",
  "envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto",
  "envoy/extensions/filters/http/lua/v3/lua.proto",
  "envoy/extensions/filters/http/ratelimit/v3/rate_limit.proto",
  "envoy/extensions/filters/http/rbac/v3/rbac.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto",
  "envoy/extensions/filters/listener/original_dst/v3/original_dst.proto",
  "envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.proto",
  "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/filters/network/rbac/v3/rbac.proto",
  "envoy/extensions/filters/network/sni_cluster/v3/sni_cluster.proto",
  "envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy.proto",
  "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
  "envoy/extensions/formatter/req_without_query/v3/req_without_query.proto",
  "envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.proto",
  "envoy/extensions/load_balancing_policies/least_request/v3/least_request.proto",
  "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.proto",
  "envoy/extensions/load_balancing_policies/random/v3/random.proto",
  "envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.proto",
  "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
  "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto",
  "envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto",
  "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto",
  "envoy/extensions/transport_sockets/tls/v3/tls.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
  "envoy/service/cluster/v3/cds.proto",
  "envoy/service/discovery/v3/ads.proto",
  "envoy/service/discovery/v3/discovery.proto",
  "envoy/service/secret/v3/sds.proto",
];

interface NewerField {
  readonly file: string;
  /** A line of the file, and what stands before it from now on. */
  readonly before: string;
  readonly text: string;
}

/** Fields that Envoy 1.40 has and the .proto files at hand do not have yet. */
const NEWER: readonly NewerField[] = [
  {
    file: "envoy/config/cluster/v3/circuit_breaker.proto",
    before: "      google.protobuf.UInt32Value min_retry_concurrency = 2;",
    text: "      google.protobuf.Duration budget_interval = 3;\n",
  },
  {
    file: "envoy/config/cluster/v3/circuit_breaker.proto",
    before: 'import "google/protobuf/wrappers.proto";',
    text: 'import "google/protobuf/duration.proto";\n',
  },
  {
    file: "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
    before: "  config.core.v3.TypedExtensionConfig header_validation_config = 7;",
    text: "  message OutlierDetection {\n    config.common.matcher.v3.MatchPredicate error_matcher = 1;\n  }\n  OutlierDetection outlier_detection = 8;\n",
  },
  {
    file: "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
    before: 'import "envoy/config/core/v3/extension.proto";',
    text: 'import "envoy/config/common/matcher/v3/matcher.proto";\n',
  },
];

function inputsHash(): string {
  const hash = createHash("sha256");
  hash.update(readFileSync(import.meta.filename));
  for (const pkg of ["@grpc/grpc-js-xds", "protoc", "@bufbuild/protoc-gen-es"]) {
    hash.update(readFileSync(path.join(ROOT, "node_modules", pkg, "package.json")));
  }
  return hash.digest("hex");
}

/** protoc-gen-validate as shipped is older than the Envoy protos: it lacks `ignore_empty`. The annotations are dropped later anyway. */
function prepareProtos(): void {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(path.join(WORK, "validate"), { recursive: true });
  const validate = readFileSync(path.join(DEPS, "protoc-gen-validate/validate/validate.proto"), "utf8");
  const patched = validate.includes("ignore_empty")
    ? validate
    : validate.replace(/^message (\w+Rules) \{$/gm, (line, name) =>
        name === "FieldRules" ? line : `${line}\n  optional bool ignore_empty = 900;`,
      );
  writeFileSync(path.join(WORK, "validate/validate.proto"), patched);
  addNewerFields();
}

/** Copies with the newer fields come before the files as shipped. */
function addNewerFields(): void {
  for (const [file, edits] of Map.groupBy(NEWER, (edit) => edit.file)) {
    let text = readFileSync(path.join(DEPS, "envoy-api", file), "utf8");
    for (const { before, text: added } of edits) {
      if (!text.includes(before)) throw new Error(`${file} has no line ${JSON.stringify(before)}`);
      text = text.replace(before, () => `${added}${before}`);
    }
    const copy = path.join(WORK, file);
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, text);
  }
}

function protoc(args: string[]): void {
  execFileSync(process.execPath, [path.join(ROOT, "node_modules/protoc/protoc.cjs"), ...args], { stdio: "inherit" });
}

const INCLUDE = [WORK, ...readdirSync(DEPS).map((d) => path.join(DEPS, d)), path.join(ROOT, "node_modules/protoc/include")];

function descriptorsOf(protos: readonly string[]): FileDescriptorSet {
  const out = path.join(WORK, "full.pb");
  protoc([...INCLUDE.map((i) => `-I${i}`), "--include_imports", `--descriptor_set_out=${out}`, ...protos]);
  return strip(fromBinary(FileDescriptorSetSchema, readFileSync(out)));
}

/** Every v3 message of Envoy's API whose imports are all shipped: what an EnvoyFilter may write. */
function allProtos(): string[] {
  const complete = new Map<string, boolean>();
  const isComplete = (file: string): boolean => {
    const known = complete.get(file);
    if (known !== undefined) return known;
    complete.set(file, true);
    const folder = INCLUDE.find((one) => existsSync(path.join(one, file)));
    const imports = folder === undefined ? [] : readFileSync(path.join(folder, file), "utf8").matchAll(/^import (?:public )?"([^"]+)";/gm);
    const all = folder !== undefined && [...imports].every(([, name]) => isComplete(name ?? ""));
    complete.set(file, all);
    return all;
  };
  const wanted = globSync("envoy/{config,data,extensions,type}/**/v3/*.proto", { cwd: path.join(DEPS, "envoy-api") });
  return wanted.filter(isComplete).sort();
}

/** Descriptors as text, for one registry that is made when the first EnvoyFilter comes: as code they would cost every start. */
function writeAllDescriptors(): void {
  const packed = deflateRawSync(toBinary(FileDescriptorSetSchema, descriptorsOf(allProtos())), { level: 9 }).toString("base64");
  writeFileSync(path.join(OUT, "all-descriptors.js"), `export const ALL_DESCRIPTORS = "${packed}";\n`);
  writeFileSync(
    path.join(OUT, "all-descriptors.d.ts"),
    "/** A FileDescriptorSet: raw deflate, base64. */\nexport declare const ALL_DESCRIPTORS: string;\n",
  );
}

/** Drops annotations (validation, versioning, …) that cost import time and that nothing reads at run time. */
function strip(set: FileDescriptorSet): FileDescriptorSet {
  const annotation = (file: string): boolean =>
    /^(validate\/|google\/api\/(annotations|http)|udpa\/annotations\/|xds\/annotations\/|envoy\/annotations\/)/.test(file) ||
    file === "google/protobuf/descriptor.proto";
  const clean = (message: { $typeName: string } & Record<string, unknown>): void => {
    for (const value of Object.values(message)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null && typeof item === "object" && "$typeName" in item) clean(item as never);
      }
    }
    if (message.$typeName.endsWith("Options")) delete message["$unknown"];
  };
  set.file = set.file.filter((f) => !annotation(f.name));
  for (const file of set.file) {
    file.dependency = file.dependency.filter((d) => !annotation(d));
    file.publicDependency = [];
    clean(file as never);
  }
  return set;
}

function generate(): void {
  prepareProtos();
  const lean = path.join(WORK, "lean.pb");
  const set = descriptorsOf(ROOTS);
  writeFileSync(lean, toBinary(FileDescriptorSetSchema, set));
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  protoc([
    `--descriptor_set_in=${lean}`,
    `--plugin=protoc-gen-es=${path.join(ROOT, "node_modules/.bin/protoc-gen-es")}`,
    `--es_out=${OUT}`,
    "--es_opt=target=js+dts,import_extension=js",
    ...set.file.map((f) => f.name).filter((f) => !f.startsWith("google/protobuf/")),
  ]);
  writeAllDescriptors();
}

const hash = inputsHash();
if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash) process.exit(0);
console.log("Generating the Envoy API (once, about 10 s) …");
generate();
writeFileSync(STAMP, hash);
