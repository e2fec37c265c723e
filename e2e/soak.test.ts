// The fault matrix in its short form; `npm run soak` plays it in full.
import { describe, expect, it } from "vitest";
import { PLANES } from "./mesh.ts";
import { ROWS } from "./soak/rows.ts";

describe.each(PLANES)("faults on %s", (plane) => {
  it.each(ROWS)("row $number: $title", async ({ run }) => {
    const figures = await run({ plane, pick: (_full, short) => short });
    expect(figures.filter(({ good }) => !good)).toEqual([]);
  });
});
