// Formats the sources in place.
import { runSteps } from "./steps.ts";

runSteps([{ name: "format", command: ["oxfmt", "src", "tools", "scenarios", "e2e", "bench", "vitest.config.ts"] }]);
