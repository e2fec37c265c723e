// Envoy's DataSource: inline, or a file that is read when the config is.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/base.proto (DataSource)
import { readFileSync, statSync } from "node:fs";
import type { Reader } from "../../wire/reader.ts";

const MAX_BYTES = 1_048_576;

/** undefined = the field is not set. */
export function readDataSource(reader: Reader, field: string): Buffer | undefined {
  const source = reader.message(field);
  if (source === undefined) return undefined;
  const text = source.optionalText("inline_string");
  if (text !== undefined) return Buffer.from(text, "utf8");
  const bytes = source.bytes("inline_bytes");
  if (bytes !== undefined) return Buffer.from(bytes);
  const file = source.optionalText("filename");
  if (file === undefined) return source.refuse("", "has no data");
  try {
    const { size } = statSync(file);
    if (size > MAX_BYTES) return source.refuse("filename", `${file} is larger than ${MAX_BYTES} bytes`);
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return source.refuse("filename", `${file} cannot be read: ${code}`);
  }
}
