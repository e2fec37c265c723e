// grpc.health.v1.Health/Check over plain HTTP/2, by hand: one string out, one number back
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
import http2 from "node:http2";

const SERVING = 1;

export function checkGrpcHealth(options: {
  readonly port: number;
  readonly service: string;
  readonly timeoutMs: number;
}): Promise<boolean> {
  return new Promise((resolve) => {
    const session = http2.connect(`http://127.0.0.1:${options.port}`);
    const timer = setTimeout(() => done(false), options.timeoutMs);
    const done = (passed: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(passed);
    };
    session.on("error", () => done(false));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => done(false));
    stream.on("close", () => done(isServing(Buffer.concat(chunks))));
    stream.end(encodeRequest(options.service));
  });
}

function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service.slice(0, 127));
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The message is field 1, a varint; the numbers are small. */
function isServing(frame: Buffer): boolean {
  return frame.length >= 7 && frame[0] === 0 && frame[5] === 0x08 && frame[6] === SERVING;
}
