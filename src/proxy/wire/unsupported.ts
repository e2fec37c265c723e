// What this proxy would refuse a message for, found in the message's JSON by the table of fields alone: parts of messages can be looked at too.
import { fieldsOf } from "./fields.ts";

/** The first place that is not supported and why; undefined = there is none. */
export function unsupportedIn(message: string, json: unknown): string | undefined {
  return inMessage(message, json, "");
}

function inMessage(message: string, json: unknown, at: string): string | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const fields = fieldsOf(message);
  if (fields === undefined) return `${at === "" ? "" : `${at}: `}${message} is not supported`;
  // An optional filter that is not known is left out.
  const given = json as Record<string, unknown>;
  if (given["is_optional"] === true || given["isOptional"] === true) return undefined;
  for (const [name, value] of Object.entries(given)) {
    const field = fields.byName.get(name);
    if (field === undefined || field.state === "ignored" || value === null || value === undefined) continue;
    const path = at === "" ? name : `${at}.${name}`;
    if (field.state === "unsupported") return `${path} is not supported`;
    for (const [where, one] of valuesOf(field.shape, value, path)) {
      const found = field.type === "any" ? inAny(one, where) : field.type === "message" ? inMessage(field.of, one, where) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function inAny(json: unknown, at: string): string | undefined {
  const url = typeof json === "object" && json !== null ? (json as Record<string, unknown>)["@type"] : undefined;
  return typeof url === "string" ? inMessage(url.slice(url.lastIndexOf("/") + 1), json, at) : undefined;
}

function valuesOf(shape: "one" | "list" | "map", value: unknown, at: string): readonly (readonly [string, unknown])[] {
  if (shape === "list" && Array.isArray(value)) return value.map((one, i) => [`${at}[${i}]`, one]);
  if (shape === "map" && typeof value === "object" && value !== null)
    return Object.entries(value).map(([key, one]) => [`${at}[${JSON.stringify(key)}]`, one]);
  return [[at, value]];
}
