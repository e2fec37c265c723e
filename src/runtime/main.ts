// The runtime's process. `serin up` starts it with its options on the command line and a channel; the channel's end stops everything,
// unless the runtime was told to detach. `clean DIR` ends what a killed runtime left behind.
import { pathsIn, type RuntimeMessage, type RuntimeOptions, type RuntimeRequest } from "../admin-api/index.ts";
import { SerinError, systemClock, systemRng } from "../kit/index.ts";
import { type Agent, startAgent } from "./agent.ts";
import { endLeftovers } from "./process-records.ts";

async function clean(dir: string): Promise<void> {
  const ended = await endLeftovers({ dir: pathsIn(dir).processes, clock: systemClock, graceMs: 2000 });
  process.stdout.write(`${JSON.stringify(ended)}\n`);
}

async function run(options: RuntimeOptions): Promise<void> {
  let detached = false;
  let agent: Agent | undefined;
  let stopping = false;

  const send = (message: RuntimeMessage): void => {
    // The channel may close at any moment; who listened is gone then.
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
  const stop = async (): Promise<void> => {
    stopping = true;
    if (agent === undefined) return;
    await agent.stop();
    process.exit(0);
  };

  process.on("message", (message: RuntimeRequest) => {
    if (message.type === "detach") detached = true;
    else void stop();
  });
  process.on("disconnect", () => {
    if (!detached) void stop();
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (signal !== "SIGHUP" || !detached) void stop();
    });
  }
  // Output goes nowhere once a detached runtime's terminal is closed.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  try {
    agent = await startAgent({ run: options, clock: systemClock, rng: systemRng, env: process.env, cwd: process.cwd(), send });
  } catch (error) {
    const known = error instanceof SerinError ? error : new SerinError("RUNTIME_FAILED", String((error as Error).stack ?? error));
    send({ type: "failed", code: known.code, message: known.message, ...(known.fix === undefined ? {} : { fix: known.fix }) });
    process.exitCode = 1;
    process.disconnect?.();
    return;
  }
  if (stopping) await stop();
}

const [command = "", argument = ""] = process.argv.slice(2);
if (command === "clean") await clean(argument);
else if (command === "run") await run(JSON.parse(argument) as RuntimeOptions);
else throw new Error("usage: runtime run OPTIONS | clean DIR");
