// Envoy's HeaderMutation, in the chain and on routes.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/header_mutation/v3/header_mutation.proto
import type { HeaderEdit, HeaderEdits, HeaderMutationConfig } from "../../../http-filters/header-mutation/header-mutation.ts";
import type { Reader } from "../../../wire/reader.ts";
import { decodeHeaderName, decodeMutation } from "../mutations.ts";

export function decodeHeaderMutation(reader: Reader): HeaderMutationConfig {
  return Object.freeze({ ...decodeHeaderEdits(reader), mostSpecificWins: reader.flag("most_specific_header_mutations_wins") });
}

export function decodeHeaderEdits(reader: Reader): HeaderEdits {
  const mutations = reader.message("mutations");
  return {
    request: (mutations?.messages("request_mutations") ?? []).map(decodeEdit),
    response: (mutations?.messages("response_mutations") ?? []).map(decodeEdit),
  };
}

function decodeEdit(reader: Reader): HeaderEdit {
  const append = reader.message("append");
  if (append !== undefined) return decodeMutation(append);
  return decodeHeaderName(reader.text("remove"), reader, "remove");
}
