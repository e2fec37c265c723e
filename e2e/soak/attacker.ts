// A caller that sends HTTP/2 frames of its own making as fast as they are taken, and sees what becomes of its connection.
import net from "node:net";
import { PREFACE, settings, TYPE } from "../../src/proxy/testing/http2-peer.ts";
import { HOST } from "./stage.ts";

const GOAWAY = TYPE.indexOf("GOAWAY");
const RST_STREAM = TYPE.indexOf("RST_STREAM");
/** Frames, or groups of them, in one write: the answer has a chance to come between. */
const BATCH = 50;
const WAIT_MS = 10_000;

/** Of GET / or POST /, without entries for the dynamic table: each is the same bytes. */
export function requestBlock(method: "GET" | "POST", extra: Buffer = Buffer.alloc(0)): Buffer {
  const host = Buffer.from(HOST);
  return Buffer.concat([Buffer.from([method === "GET" ? 0x82 : 0x83, 0x86, 0x84, 0x01, host.length]), host, extra]);
}

export interface Attack {
  /** Sent once, first. */
  readonly opening?: Buffer;
  /** What comes then, `index` from 0. */
  readonly part: (index: number) => Buffer;
  readonly most: number;
}

export interface AttackResult {
  readonly sent: number;
  readonly closed: boolean;
  /** RST_STREAM frames that came back. */
  readonly resets: number;
  /** From GOAWAY to the end of the connection; undefined = one of them did not come. */
  readonly closedAfterMs: number | undefined;
}

export function attack(port: number, { opening, part, most }: Attack): Promise<AttackResult> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    let sent = 0;
    let resets = 0;
    let rest = Buffer.alloc(0);
    let goAwayAt: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const finish = (closed: boolean): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ sent, closed, resets, closedAfterMs: closed && goAwayAt !== undefined ? performance.now() - goAwayAt : undefined });
    };
    const send = (): void => {
      if (over) return;
      if (sent >= most) {
        timer = setTimeout(() => finish(false), WAIT_MS);
        return;
      }
      const parts: Buffer[] = [];
      for (let i = 0; i < BATCH && sent < most; i++) parts.push(part(sent++));
      const free = socket.write(Buffer.concat(parts));
      // Never without a turn of the loop between: GOAWAY is to be seen when it comes.
      if (free) setImmediate(send);
      else socket.once("drain", send);
    };
    socket.on("connect", () => {
      socket.write(Buffer.concat([PREFACE, settings(), opening ?? Buffer.alloc(0)]));
      send();
    });
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        if (rest[3] === GOAWAY) goAwayAt ??= performance.now();
        if (rest[3] === RST_STREAM) resets++;
        rest = rest.subarray(9 + rest.readUIntBE(0, 3));
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => finish(true));
  });
}
