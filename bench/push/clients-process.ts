// Many Envoy-like clients in one process, beside the control plane's: told by messages what to wait for, answers when the last has it.
import { connectEnvoyLike, type EnvoyLikeClient } from "./envoy-like-client.ts";

export type Command =
  | { readonly do: "connect"; readonly port: number; readonly from: number; readonly count: number }
  /** From now on count bytes, and tell when every client got a message with this text in it. */
  | { readonly do: "await"; readonly text: string }
  | { readonly do: "report" };

export type Answer =
  | { readonly is: "ready"; readonly at: number; readonly bytes: number }
  | { readonly is: "armed" }
  | { readonly is: "all"; readonly first: number; readonly last: number }
  | { readonly is: "report"; readonly bytes: number; readonly messages: number }
  | { readonly is: "failed"; readonly message: string };

const clients: EnvoyLikeClient[] = [];
let ready = 0;
let bytesIn = 0;
let messages = 0;
let awaited: { readonly text: Buffer; readonly missing: Set<number>; first: number } | undefined;

const now = (): number => performance.timeOrigin + performance.now();

function tell(answer: Answer): void {
  process.send?.(answer);
}

function take(index: number, bytes: Buffer): void {
  bytesIn += bytes.length + 5;
  messages += 1;
  if (awaited === undefined || !awaited.missing.has(index) || !bytes.includes(awaited.text)) return;
  const at = now();
  if (awaited.first === 0) awaited.first = at;
  awaited.missing.delete(index);
  if (awaited.missing.size > 0) return;
  tell({ is: "all", first: awaited.first, last: at });
  awaited = undefined;
}

process.on("message", (command: Command) => {
  if (command.do === "connect") {
    for (let i = 0; i < command.count; i++) {
      const index = command.from + i;
      clients.push(
        connectEnvoyLike({
          port: command.port,
          index,
          onMessage: ({ bytes }) => take(index, bytes),
          onReady() {
            ready += 1;
            if (ready === command.count) tell({ is: "ready", at: now(), bytes: bytesIn });
          },
          onError: (error) => tell({ is: "failed", message: error.message }),
        }),
      );
    }
  } else if (command.do === "await") {
    bytesIn = 0;
    messages = 0;
    awaited = { text: Buffer.from(command.text), missing: new Set(clients.keys()), first: 0 };
    tell({ is: "armed" });
  } else tell({ is: "report", bytes: bytesIn, messages });
});
process.on("disconnect", () => {
  for (const client of clients) client.close();
  process.exit(0);
});
