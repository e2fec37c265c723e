// The victim of store/crash.test.ts: writes as fast as it can and says on stdout what has been acknowledged, until it is killed.
import { writeSync } from "node:fs";
import { systemClock } from "../../kit/index.ts";
import { openStore } from "./store.ts";

const [file, first] = process.argv.slice(2);
const store = openStore({ file: file ?? "", clock: systemClock, history: 64 });
const batch = (n: number) =>
  [0, 1, 2].map((i) => ({
    op: "put" as const,
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `c${(n + i) % 50}`, namespace: "default" },
      body: { data: { n: String(n) } },
    },
  }));
for (let n = Number(first); ; n++) {
  const { revision } = store.write(batch(n), "api");
  writeSync(1, `${n} ${revision}\n`);
}
