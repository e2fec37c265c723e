// The open streams of a session by their id. A `Map` would do, but one that is always added to and deleted from is rebuilt all the time, and its old
// tables keep dead streams alive through the young generation: two fifths of the codec's time went into collecting them.
import type { OpenStream } from "./open-stream.ts";

const SMALLEST = 8;

export class StreamTable {
  size = 0;
  /** By the stream's number among those of its side, modulo the length; streams are numbered in turn, so they spread evenly. */
  private slots: (OpenStream | undefined)[] = emptySlots(SMALLEST);

  get(id: number): OpenStream | undefined {
    let stream = this.slots[(id >>> 1) & (this.slots.length - 1)];
    while (stream !== undefined && stream.id !== id) stream = stream.nextInSlot;
    return stream;
  }

  add(stream: OpenStream): void {
    if (++this.size > this.slots.length) this.grow();
    this.link(stream);
  }

  private link(stream: OpenStream): void {
    const slot = (stream.id >>> 1) & (this.slots.length - 1);
    stream.nextInSlot = this.slots[slot];
    this.slots[slot] = stream;
  }

  private grow(): void {
    const before = this.all();
    this.slots = emptySlots(this.slots.length * 2);
    for (const stream of before) this.link(stream);
  }

  /** It must be there. */
  delete(stream: OpenStream): void {
    this.size--;
    const slot = (stream.id >>> 1) & (this.slots.length - 1);
    let before = this.slots[slot];
    if (before === stream) this.slots[slot] = stream.nextInSlot;
    else {
      while (before !== undefined && before.nextInSlot !== stream) before = before.nextInSlot;
      if (before !== undefined) before.nextInSlot = stream.nextInSlot;
    }
    stream.nextInSlot = undefined;
  }

  /** A list of its own. */
  all(): OpenStream[] {
    const streams: OpenStream[] = [];
    for (const first of this.slots) for (let stream = first; stream !== undefined; stream = stream.nextInSlot) streams.push(stream);
    return streams;
  }
}

function emptySlots(length: number): (OpenStream | undefined)[] {
  return Array.from<OpenStream | undefined>({ length });
}
