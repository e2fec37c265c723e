// gRPC messages in base64, each by itself as Envoy does, without waiting for their ends: what cannot be encoded yet is at most two bytes.
const FRAME_HEAD = 5;

export class FrameEncoder {
  private readonly head = Buffer.alloc(FRAME_HEAD);
  /** Bytes of the frame's head that are here. */
  private headed = 0;
  /** Bytes of the frame that are still to come. */
  private left = 0;
  private held = Buffer.alloc(0);

  encode(data: Buffer): Buffer {
    let out = "";
    let at = 0;
    while (at < data.length) {
      if (this.headed < FRAME_HEAD) {
        const take = Math.min(FRAME_HEAD - this.headed, data.length - at);
        data.copy(this.head, this.headed, at, at + take);
        this.headed += take;
        at += take;
        if (this.headed < FRAME_HEAD) break;
        this.left = this.head.readUInt32BE(1);
        this.held = Buffer.from(this.head);
      }
      const take = Math.min(this.left, data.length - at);
      out += this.take(data.subarray(at, at + take));
      this.left -= take;
      at += take;
      if (this.left === 0) {
        out += this.held.toString("base64");
        this.held = Buffer.alloc(0);
        this.headed = 0;
      }
    }
    return Buffer.from(out, "latin1");
  }

  /** All that makes up whole groups of three bytes. */
  private take(data: Buffer): string {
    const bytes = Buffer.concat([this.held, data]);
    const whole = bytes.length - (bytes.length % 3);
    this.held = bytes.subarray(whole);
    return bytes.toString("base64", 0, whole);
  }
}
