import { Command, Option } from "commander";
import { expect, test } from "vitest";
import { completeWords, completionScript, SHELLS } from "./completion.ts";

const program = new Command("serin");
program
  .command("up")
  .addOption(new Option("--proxy <kind>").choices(["serin", "envoy"]))
  .option("-d, --detach");
program.command("logs").argument("<pod>");
program.command("canary").command("set");
program.command("__complete", { hidden: true });

test.each([
  [[""], ["canary", "logs", "up"]],
  [["u"], ["up"]],
  [["canary", ""], ["set"]],
  [
    ["up", "--"],
    ["--detach", "--proxy"],
  ],
  [
    ["up", "--proxy", ""],
    ["serin", "envoy"],
  ],
  [["up", "--proxy", "e"], ["envoy"]],
  [["logs", "d"], ["demo-1"]],
  [["up", "file"], []],
])("%j", (words, expected) => {
  expect(completeWords(program, words, ["demo-1", "other"])).toEqual(expected);
});

test.each(SHELLS)("the %s script asks the hidden command", (shell) => {
  expect(completionScript(shell)).toContain("serin __complete --");
});
