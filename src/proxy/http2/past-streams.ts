// How the latest streams ended: frames for a stream that is no more are ignored, answered or fatal, depending on that (RFC 9113 section 5.1).

/** Both sides sent their end. */
export const ENDED = 1;
/** The peer reset it. */
export const RESET_BY_PEER = 2;
/** It was reset here: frames may still be on their way. */
export const RESET_HERE = 3;
export type HowEnded = typeof ENDED | typeof RESET_BY_PEER | typeof RESET_HERE;

const SLOTS = 512;

export class PastStreams {
  /** 30 bits of the stream's number among those of its side, two of how it ended. */
  private slots: Uint32Array | undefined = undefined;

  add(id: number, how: HowEnded): void {
    this.slots ??= new Uint32Array(SLOTS);
    this.slots[(id >>> 1) & (SLOTS - 1)] = ((id >>> 1) << 2) | how;
  }

  /** 0 = it never was, or too long ago. */
  howEnded(id: number): HowEnded | 0 {
    const slot = this.slots?.[(id >>> 1) & (SLOTS - 1)] ?? 0;
    return slot >>> 2 === id >>> 1 ? ((slot & 3) as HowEnded | 0) : 0;
  }
}
