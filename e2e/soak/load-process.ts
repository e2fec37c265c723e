// An open load in a process of its own (`load-apart.ts`): begins with the first message, ends at the second with its result.
import { type OpenLoad, type OpenLoadOptions, startOpenLoad } from "./open-load.ts";

let load: OpenLoad | undefined;

process.on("message", (options: OpenLoadOptions) => {
  if (load === undefined) load = startOpenLoad(options);
  else void load.stop().then((result) => process.send?.(result));
});
