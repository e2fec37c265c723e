// Typed pack and unpack of google.protobuf.Any, with Envoy's type URLs (`type.googleapis.com/FULL.NAME`).
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";

export function typeUrlOf(schema: DescMessage): string {
  return `type.googleapis.com/${schema.typeName}`;
}

export function packAny<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: toBinary(schema, message) });
}

/** Packs bytes that are already encoded. */
export function packBytes(typeUrl: string, value: Uint8Array): Any {
  return create(AnySchema, { typeUrl, value });
}

/** undefined when the Any holds another type (or nothing); throws when its bytes are broken. */
export function unpackAny<Desc extends DescMessage>(schema: Desc, any: Any | undefined): MessageShape<Desc> | undefined {
  if (any === undefined || !isAnyOf(schema, any)) return undefined;
  return fromBinary(schema, any.value);
}

export function isAnyOf(schema: DescMessage, any: Any): boolean {
  return any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1) === schema.typeName;
}
