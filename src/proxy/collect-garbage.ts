// Node's collector on request. Node has no other way to ask for it in a process that was not started with --expose-gc.
// https://nodejs.org/api/cli.html#--expose-gc, V8's extensions/gc-extension.h
import v8 from "node:v8";
import vm from "node:vm";

type Collect = (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "regular" | "last-resort" }) => void;

let collect: Collect | undefined;

/** Stops the world. "last-resort": also what can be made again, such as compiled code that has not run for a while. */
export function collectGarbage(flavor: "regular" | "last-resort"): void {
  if (collect === undefined) {
    v8.setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc") as Collect;
  }
  collect({ type: "major", execution: "sync", flavor });
}
