// Stand-in for the secret server of Istio's agent (cluster sds-grpc): gRPC over h2c, protobuf by hand, state of the world and delta.
// Names: default (spiffe.crt/key), ROOTCA (ca.crt), file-cert:CHAIN~KEY, file-root:CA, file-root:system. A name without files gets no answer.
import { readFileSync } from "node:fs";
import http2, { type ServerHttp2Stream } from "node:http2";

const TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let n = value;
  do {
    bytes.push((n & 127) | (n > 127 ? 128 : 0));
    n >>>= 7;
  } while (n > 0);
  return Buffer.from(bytes);
}

function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

// The length-delimited fields of a message.
function fieldsOf(bytes: Buffer): [number: number, value: Buffer][] {
  const found: [number, Buffer][] = [];
  let at = 0;
  const next = (): number => {
    let n = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      n += (byte & 127) * 2 ** shift;
      if (byte < 128) return n;
    }
  };
  while (at < bytes.length) {
    const key = next();
    const wire = key & 7;
    if (wire === 2) {
      const size = next();
      found.push([key >> 3, bytes.subarray(at, at + size)]);
      at += size;
    } else if (wire === 0) next();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else break;
  }
  return found;
}

const inline = (file: string): Buffer => field(2, readFileSync(file));

function secret(name: string, certs: string): Buffer | undefined {
  try {
    const pair =
      name === "default"
        ? [`${certs}/spiffe.crt`, `${certs}/spiffe.key`]
        : name.startsWith("file-cert:")
          ? name.slice(10).split("~")
          : undefined;
    if (pair !== undefined) {
      return Buffer.concat([field(1, name), field(2, Buffer.concat([field(1, inline(pair[0] ?? "")), field(2, inline(pair[1] ?? ""))]))]);
    }
    const root =
      name === "ROOTCA"
        ? `${certs}/ca.crt`
        : name === "file-root:system"
          ? "/etc/ssl/certs/ca-certificates.crt"
          : name.startsWith("file-root:")
            ? name.slice(10)
            : undefined;
    return root === undefined ? undefined : Buffer.concat([field(1, name), field(4, field(1, inline(root)))]);
  } catch {
    return undefined;
  }
}

function answer(found: readonly (readonly [string, Buffer])[], delta: boolean, nonce: string): Buffer {
  const any = (s: Buffer): Buffer => Buffer.concat([field(1, TYPE), field(2, s)]);
  const resources = found.map(([name, s]) => field(2, delta ? Buffer.concat([field(3, name), field(1, "1"), field(2, any(s))]) : any(s)));
  const body = Buffer.concat([field(1, "1"), ...resources, field(4, TYPE), field(5, nonce)]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function serve(stream: ServerHttp2Stream, delta: boolean, certs: string): void {
  let rest = Buffer.alloc(0);
  let asked = "";
  let nonce = 0;
  stream.on("error", () => {});
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.on("end", () => stream.end());
  stream.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const size = rest.readUInt32BE(1);
      const names = fieldsOf(rest.subarray(5, 5 + size))
        .filter(([n]) => n === 3)
        .map(([, v]) => v.toString());
      rest = rest.subarray(5 + size);
      const key = names.join("|");
      // Nothing new, or an ACK.
      if (names.length === 0 || (!delta && key === asked)) continue;
      asked = key;
      const found = names.flatMap((n) => {
        const s = secret(n, certs);
        return s === undefined ? [] : [[n, s] as const];
      });
      if (found.length > 0) stream.write(answer(found, delta, String(++nonce)));
    }
  });
}

/** `certs()` is asked at each request: every case has its own folder. */
export function startSecretServer(port: number, certs: () => string): Promise<void> {
  const server = http2.createServer();
  server.on("sessionError", () => {});
  server.on("stream", (stream, headers) => serve(stream as ServerHttp2Stream, (headers[":path"] ?? "").endsWith("DeltaSecrets"), certs()));
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
}
