// A process of its own for a test: a gRPC client that finds its backends by `xds:///TARGET` (GRPC_XDS_BOOTSTRAP_CONFIG says from whom).
// For each line "N" on its input it makes N calls and prints which backends answered how often.
import { createInterface } from "node:readline";
import { Client, credentials } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";

register();
const client = new Client(`xds:///${process.argv[2] ?? ""}`, credentials.createInsecure());
const same = (bytes: Buffer): Buffer => bytes;

function say(): Promise<string> {
  return new Promise((resolve) => {
    client.makeUnaryRequest("/demo.Demo/Say", same, same, Buffer.alloc(0), { deadline: Date.now() + 10_000 }, (error, answer) => {
      resolve(error === null ? (answer ?? Buffer.alloc(0)).toString() : `${error.code} ${error.details}`);
    });
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const counts: Record<string, number> = {};
  for (let i = 0; i < Number(line); i++) {
    const answer = await say();
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`);
}
client.close();
