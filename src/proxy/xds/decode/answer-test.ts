// Envoy's MatchPredicate over the head of an answer. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/common/matcher/v3/matcher.proto
import type { AnswerTest } from "../../config/index.ts";
import { matchesHeader } from "../../router/match.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeHeaderMatcher } from "./route-match.ts";

export function decodeAnswerTest(reader: Reader): AnswerTest {
  const set = (name: string): readonly AnswerTest[] | undefined => reader.message(name)?.messages("rules").map(decodeAnswerTest);
  const some = set("or_match");
  if (some !== undefined) return (answer) => some.some((test) => test(answer));
  const every = set("and_match");
  if (every !== undefined) return (answer) => every.every((test) => test(answer));
  const not = reader.message("not_match");
  if (not !== undefined) {
    const test = decodeAnswerTest(not);
    return (answer) => !test(answer);
  }
  if (reader.flag("any_match")) return () => true;
  const headers = reader.message("http_response_headers_match");
  if (headers === undefined) return reader.refuse("", "has no rule");
  return headersTest(headers);
}

function headersTest(reader: Reader): AnswerTest {
  const matchers = reader.messages("headers").map(decodeHeaderMatcher);
  return (answer) => {
    const lines = { headerLines: (name: string) => (name === ":status" ? [String(answer.status)] : answer.headerLines(name)) };
    return matchers.every((matcher) => matchesHeader(matcher, lines));
  };
}
