// Text of a config as the bytes that a request carries: UTF-8, one char per byte, which is how the proxy holds requests.
export function bytesOf(text: string): string {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
