// The control plane a command talks to: the running mesh of `serin up`, or one started alone (`serin control-plane`) by address and token file.
import { type Command, Option } from "commander";
import { type AdminClient, createAdminClient, readTokenFile } from "../admin-api/index.ts";
import { SerinError } from "../kit/index.ts";
import type { Cli, CommonOptions } from "./cli.ts";

export interface ClientOptions extends CommonOptions {
  readonly admin?: string;
  readonly adminTokenFile?: string;
}

export function addClientOptions(command: Command): Command {
  return command
    .addOption(new Option("--admin <url>", "admin address of a control plane that runs alone").env("SERIN_ADMIN"))
    .addOption(new Option("--admin-token-file <file>", "file with its token").env("SERIN_ADMIN_TOKEN_FILE"));
}

export function clientOf(cli: Cli, options: ClientOptions): AdminClient {
  if (options.admin === undefined) return cli.mesh(options).client;
  const file = options.adminTokenFile;
  if (file === undefined) {
    throw new SerinError("ADMIN_TOKEN_MISSING", "--admin needs --admin-token-file", {
      fix: "The control plane keeps its token in its --state folder: admin-token.",
    });
  }
  const token = readTokenFile(file, "Check the path and its permissions.");
  const url = /^https?:\/\//.test(options.admin) ? options.admin : `http://${options.admin}`;
  return createAdminClient({ url: url.replace(/\/+$/, ""), token });
}
