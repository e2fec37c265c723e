// Transport sockets: plain text is all there is until TLS lands; anything else is refused by its name.
import type { Reader } from "../../wire/reader.ts";

const RAW_BUFFER = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

export function checkPlaintext(reader: Reader): void {
  const socket = reader.message("transport_socket");
  if (socket === undefined) return;
  const type = socket.any("typed_config")?.typeName;
  if (type !== RAW_BUFFER && socket.text("name") !== "envoy.transport_sockets.raw_buffer")
    reader.refuse("transport_socket", `${type ?? socket.text("name")} is not supported`);
}
