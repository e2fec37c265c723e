// One read buffer for all accepted sockets. Node gives this only to sockets it dials (`onread`); for accepted ones it allocates 64 KiB at every
// read, which costs a tenth of the proxy's CPU time. The fields behind `onread` are Node's own business, so whatever is not as expected
// means `data` events, which do the same at a higher price.
import type net from "node:net";

const SIZE = 65_536;
const buffer = Buffer.allocUnsafeSlow(SIZE);

interface Fields {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let fields: Fields | undefined | null = null;

function findFields(sock: net.Socket): Fields | undefined {
  const symbols = Object.getOwnPropertySymbols(sock);
  const find = (name: string) => symbols.find((symbol) => symbol.description === name);
  const found = { buffer: find("kBuffer"), callback: find("kBufferCb") };
  return found.buffer === undefined || found.callback === undefined ? undefined : { buffer: found.buffer, callback: found.callback };
}

/** True = from now on `onRead` gets every read, and the bytes are only its own until it returns. */
export function readShared(sock: net.Socket, onRead: (data: Buffer, length: number) => boolean): boolean {
  if (fields === null) fields = findFields(sock);
  const inner = sock as unknown as Record<symbol, unknown> & { _handle?: { useUserBuffer?: (buffer: Buffer) => void } };
  const handle = inner._handle;
  if (fields === undefined || typeof handle?.useUserBuffer !== "function") return false;
  if (inner[fields.buffer] !== null || inner[fields.callback] !== null) return false;
  inner[fields.buffer] = buffer;
  inner[fields.callback] = (length: number) => onRead(buffer, length);
  handle.useUserBuffer(buffer);
  return true;
}
