import { expect, test } from "vitest";
import type { PortRule } from "../config/index.ts";
import { fitsPort } from "./port-rule.ts";

const at = (start: number): PortRule => ({ kind: "range", start, end: start + 1 });

test.each<[PortRule | undefined, readonly number[]]>([
  [undefined, []],
  [{ kind: "any" }, [80, 81, 443]],
  [at(80), [80]],
  [{ kind: "not", rule: at(80) }, [81, 443]],
  [{ kind: "or", rules: [at(80), at(443)] }, [80, 443]],
  [
    {
      kind: "and",
      rules: [
        { kind: "not", rule: at(80) },
        { kind: "range", start: 80, end: 100 },
      ],
    },
    [81],
  ],
  [{ kind: "or", rules: [] }, []],
  [{ kind: "and", rules: [] }, [80, 81, 443]],
])("%j fits %j of 80, 81, 443", (rule, fitting) => {
  expect([80, 81, 443].filter((port) => fitsPort(rule, port))).toEqual(fitting);
});
