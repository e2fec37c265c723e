// npm run soak [-- --rows 1,6 --plane serin|envoy --short]: plays the rows of the fault matrix and prints what was measured. Exit 1 when a row
// misses what it promises.
import { parseArgs } from "node:util";
import { type Plane, PLANES } from "../mesh.ts";
import { ROWS } from "./rows.ts";

const { values } = parseArgs({
  options: { rows: { type: "string" }, plane: { type: "string" }, short: { type: "boolean", default: false } },
});
const numbers = values.rows?.split(",").map(Number);
const planes = PLANES.filter((plane) => values.plane === undefined || values.plane === plane);
let missed = 0;
for (const row of ROWS.filter(({ number }) => numbers === undefined || numbers.includes(number))) {
  for (const plane of planes as readonly Plane[]) {
    const started = performance.now();
    console.log(`\n${row.number}. ${row.title} (${plane})`);
    try {
      for (const { name, value, good } of await row.run({ plane, pick: (full, short) => (values.short ? short : full) })) {
        console.log(`  ${good ? "✓" : "✗"} ${name}: ${value}`);
        if (!good) missed++;
      }
    } catch (error) {
      missed++;
      console.log(`  ✗ ${error instanceof Error ? error.message : String(error)}`);
    }
    console.log(`  (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  }
}
console.log(missed === 0 ? "\nAll rows hold." : `\n${missed} figures miss their target.`);
process.exit(missed === 0 ? 0 : 1);
