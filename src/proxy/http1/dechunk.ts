// Takes the chunk framing off a body that `Body` has checked already, for callers that speak HTTP/1.0.
export class Dechunker {
  private remain = 0;
  private size = 0;
  private state: "size" | "line" | "data" | "gap" | "end" = "size";

  /** The data bytes in `view`, as views. */
  feed(view: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    let at = 0;
    while (at < view.length && this.state !== "end") {
      if (this.state === "data") {
        const end = Math.min(view.length, at + this.remain);
        parts.push(view.subarray(at, end));
        this.remain -= end - at;
        at = end;
        if (this.remain === 0) this.state = "gap";
        continue;
      }
      const byte = view[at++] as number;
      if (this.state === "gap") {
        if (byte === 10) this.state = "size";
      } else if (byte === 10) {
        this.state = this.size === 0 ? "end" : "data";
        this.remain = this.size;
        this.size = 0;
      } else if (this.state === "size") {
        const digit = Number.parseInt(String.fromCharCode(byte), 16);
        if (Number.isNaN(digit)) this.state = "line";
        else this.size = this.size * 16 + digit;
      }
    }
    return parts;
  }
}
