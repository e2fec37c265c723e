// Header operations of Envoy's HeaderValueOption, formats checked: what does not compile is refused here.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
import type { AppendAction, HeaderMutation, HeaderMutations } from "../../config/index.ts";
import { bytesOf } from "../../regex/latin1.ts";
import { headerFormatProblem } from "../../router/header-mutation.ts";
import type { Reader } from "../../wire/reader.ts";

export const NO_MUTATIONS: HeaderMutations = Object.freeze({ add: Object.freeze([]), remove: Object.freeze([]) });

export function decodeMutations(reader: Reader, side: "request" | "response"): HeaderMutations {
  const toAdd = reader.messages(`${side}_headers_to_add`);
  const toRemove = reader.texts(`${side}_headers_to_remove`);
  if (toAdd.length === 0 && toRemove.length === 0) return NO_MUTATIONS;
  return {
    add: toAdd.map(decodeMutation),
    remove: toRemove.map((name, i) => decodeHeaderName(name, reader, `${side}_headers_to_remove[${i}]`)),
  };
}

/** Envoy: `:` headers and Host may not be modified. */
export function decodeHeaderName(name: string, reader: Reader, field: string): string {
  const lower = name.toLowerCase();
  if (lower.startsWith(":") || lower === "host") reader.refuse(field, `header ${name} may not be modified`);
  if (!/^[a-z0-9!#$%&'*+\-.^_`|~]+$/.test(lower)) reader.refuse(field, `${JSON.stringify(name)} is no header name`);
  return lower;
}

/** A list of headers to add that stands alone. */
export function decodeAdded(reader: Reader, field: string): HeaderMutations {
  const toAdd = reader.messages(field);
  return toAdd.length === 0 ? NO_MUTATIONS : { add: toAdd.map(decodeMutation), remove: [] };
}

export function decodeMutation(reader: Reader): HeaderMutation {
  const header = reader.message("header");
  if (header === undefined) return reader.refuse("header", "is missing");
  const raw = header.bytes("raw_value");
  const format = raw === undefined || raw.length === 0 ? bytesOf(header.text("value")) : Buffer.from(raw).toString("latin1");
  // eslint-disable-next-line no-control-regex
  if (/[\x00\r\n]/.test(format)) header.refuse("value", "has a line break or NUL");
  const problem = format.includes("%") ? headerFormatProblem(format) : undefined;
  if (problem !== undefined) header.refuse("value", problem);
  return {
    name: decodeHeaderName(header.text("key"), header, "key"),
    value: { literal: format.includes("%") ? undefined : format, format },
    action: actionOf(reader),
    keepEmpty: reader.flag("keep_empty_value"),
  };
}

function actionOf(reader: Reader): AppendAction {
  if (reader.has("append")) return reader.flag("append") ? "APPEND_IF_EXISTS_OR_ADD" : "OVERWRITE_IF_EXISTS_OR_ADD";
  return reader.choice<AppendAction>("append_action", "APPEND_IF_EXISTS_OR_ADD");
}
