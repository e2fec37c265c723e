// Envoy's messages as the proxy reads them: one table of fields, in place of protobuf descriptors (which cost an idle proxy some 40 MB).
// In the tables each message has its fields as `name=number`: `+` is read (with its type), `~` has no effect in this proxy, `!` is not
// supported: a resource that sets one is refused by its name. A `?` marks a wrapper type, `[]` repeated, `{}` a map with string keys.
// https://protobuf.dev/programming-guides/encoding/
import { BOOTSTRAP } from "./tables/bootstrap.ts";
import { CLUSTER } from "./tables/cluster.ts";
import { CORE } from "./tables/core.ts";
import { DISCOVERY } from "./tables/discovery.ts";
import { ENUMS } from "./tables/enums.ts";
import { HTTP_FILTERS } from "./tables/http-filters.ts";
import { LISTENER } from "./tables/listener.ts";
import { ROUTE } from "./tables/route.ts";
import { TRANSPORT } from "./tables/tls.ts";

export interface Field {
  readonly name: string;
  readonly number: number;
  readonly state: "read" | "ignored" | "unsupported";
  /** A scalar's name, `duration`, `struct`, `any`, `enum` or `message`. */
  readonly type: string;
  /** Full name of the message or enum. */
  readonly of: string;
  readonly wrapped: boolean;
  readonly shape: "one" | "list" | "map";
}

export interface MessageFields {
  readonly byNumber: ReadonlyMap<number, Field>;
  /** In both spellings. */
  readonly byName: ReadonlyMap<string, Field>;
}

export interface EnumValues {
  readonly byNumber: ReadonlyMap<number, string>;
  readonly byName: ReadonlyMap<string, number>;
}

let texts: ReadonlyMap<string, string> | undefined;
const messages = new Map<string, MessageFields>();
const enums = new Map<string, EnumValues>();

export function messageNames(): Iterable<string> {
  return blocks().keys();
}

/** undefined = this proxy has nothing to do with that message. */
export function fieldsOf(message: string): MessageFields | undefined {
  const known = messages.get(message);
  if (known !== undefined) return known;
  const text = blocks().get(message);
  if (text === undefined) return undefined;
  const parsed = parseMessage(text);
  messages.set(message, parsed);
  return parsed;
}

export function enumOf(name: string): EnumValues {
  if (enums.size === 0) parseEnums();
  const found = enums.get(name);
  if (found === undefined) throw new Error(`no enum ${name} in the table`);
  return found;
}

/** Message → its lines, unparsed: a proxy meets few of them. */
function blocks(): ReadonlyMap<string, string> {
  if (texts !== undefined) return texts;
  const found = new Map<string, string>();
  for (const table of [CORE, TRANSPORT, LISTENER, HTTP_FILTERS, ROUTE, CLUSTER, BOOTSTRAP, DISCOVERY]) {
    for (const block of table.split(/\n(?=\S)/)) {
      const [name = "", ...lines] = block.trim().split("\n");
      if (name !== "") found.set(name, lines.join("\n"));
    }
  }
  texts = found;
  return found;
}

const STATES = { "+": "read", "~": "ignored", "!": "unsupported" } as const;

function parseMessage(text: string): MessageFields {
  const byNumber = new Map<number, Field>();
  const byName = new Map<string, Field>();
  for (const line of text.split("\n")) {
    const [sign = "", ...items] = line.trim().split(" ");
    for (const item of sign === "" ? [] : items) {
      const field = parseField(STATES[sign as keyof typeof STATES], item);
      byNumber.set(field.number, field);
      byName.set(field.name, field);
      byName.set(toCamelCase(field.name), field);
    }
  }
  return { byNumber, byName };
}

function parseField(state: Field["state"], item: string): Field {
  const [, name = "", number, type = ""] = /^(\w+)=(\d+)(?::(.*))?$/.exec(item) ?? [];
  const shape = type.endsWith("[]") ? "list" : type.endsWith("{}") ? "map" : "one";
  const bare = shape === "one" ? type : type.slice(0, -2);
  const base = { name, number: Number(number), state, shape, wrapped: bare.endsWith("?") } as const;
  if (bare.startsWith("enum:")) return { ...base, type: "enum", of: bare.slice(5) };
  if (bare.includes(".")) return { ...base, type: "message", of: bare };
  return { ...base, type: base.wrapped ? bare.slice(0, -1) : bare, of: "" };
}

export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function parseEnums(): void {
  for (const line of ENUMS.trim().replaceAll("\n  |", "").split("\n")) {
    const [name = "", ...values] = line.split(" ");
    const pairs = values.map((value) => value.split("=") as [string, string]);
    enums.set(name, {
      byNumber: new Map(pairs.map(([value, number]) => [Number(number), value])),
      byName: new Map(pairs.map(([value, number]) => [value, Number(number)])),
    });
  }
}
