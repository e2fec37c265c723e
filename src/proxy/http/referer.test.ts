import { expect, test } from "vitest";
import { isReferer } from "./referer.ts";

// As real Envoy 1.40 kept or dropped them.
test.each(
  [
    "|/|//|/b|?q|*|a@b|abc|a/b|a?b|ht!tp|//a/b|//u@a|ftp://a/|http://a|HTTP://A/|http://a:80/|http://a:0/|http://a:65535/|https://a?b|http://[::1]/",
    'http://[::1]:8/|android-app://x/|h+t://a|http://@a/|http://a/#|http://a?b#|http://a/b\\c|http://a/%zz|http://a/"<>|http://a.b.c/..',
    "https://www.example.com/path?q=1&r=2",
  ]
    .join("|")
    .split("|"),
)("kept: %s", (value) => {
  expect(isReferer(value)).toBe(true);
});

test.each(
  [
    "a b|a:b|a:80|#|/b#f|a#b|/a b|\xe9|about:blank|http:a|http:/a|http://|http://u@a/|http://u:p@a/|http://a/b#f|http://a#|http://a:x/|http://a:/",
    "http://a:65536/|http://a:99999/|http://a b/|http://a/b c|http://a/\xe9|http://a_b/|http://a,http://b/|http://:80/|file:///x|-h://a|1http://a",
    "http://[x]/|http://[::1|http://[::1]x/|http://[1.2]/|http://a%41/|http://a~/|http://*/",
  ]
    .join("|")
    .split("|"),
)("dropped: %s", (value) => {
  expect(isReferer(value)).toBe(false);
});
