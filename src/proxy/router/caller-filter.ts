// A caller as an HTTP filter shows it to what comes after: everything passes through, but for what the filter overrides.
import type { AnswerHead, LineFilter, Trailers } from "../http/message.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { Arrival } from "../network/arrival.ts";
import type { AnswerStart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { AnswerNotes, Caller, WholeAnswer } from "./caller.ts";

export class CallerFilter implements Caller {
  protected readonly inner: Caller;

  constructor(inner: Caller) {
    this.inner = inner;
  }

  get arrival(): Arrival {
    return this.inner.arrival;
  }
  get bodyPending(): boolean {
    return this.inner.bodyPending;
  }
  get chunked(): boolean {
    return this.inner.chunked;
  }
  pauseRequest(): void {
    this.inner.pauseRequest();
  }
  resumeRequest(): void {
    this.inner.resumeRequest();
  }
  sendWhole(answer: WholeAnswer): void {
    this.inner.sendWhole(answer);
  }
  sayContinue(): void {
    this.inner.sayContinue();
  }
  informational(head: AnswerHead): void {
    this.inner.informational(head);
  }
  beginAnswer(stream: UpstreamStream, start: AnswerStart, notes: AnswerNotes): Buffer | undefined {
    return this.inner.beginAnswer(stream, start, notes);
  }
  writeAnswer(view: Buffer, lasting: boolean): boolean {
    return this.inner.writeAnswer(view, lasting);
  }
  endAnswer(view: Buffer, lasting: boolean, trailers: Trailers): boolean {
    return this.inner.endAnswer(view, lasting, trailers);
  }
  whenFlushed(fn: () => void): void {
    this.inner.whenFlushed(fn);
  }
  responseDone(now: number): void {
    this.inner.responseDone(now);
  }
  abort(): void {
    this.inner.abort();
  }
}

/** An upstream's head with edits on top. `contentLength` -1 = the body's length is not known any more. */
export class EditedAnswerHead implements AnswerHead {
  readonly version: AnswerHead["version"];
  readonly status: number;
  readonly hasDate: boolean;
  readonly contentLength: number;
  private readonly head: AnswerHead;
  private readonly edit: (list: HeaderList) => void;

  constructor(head: AnswerHead, edit: (list: HeaderList) => void, contentLength = -1) {
    this.version = head.version;
    this.status = head.status;
    this.hasDate = head.hasDate;
    this.contentLength = contentLength;
    this.head = head;
    this.edit = edit;
  }

  nameAt(line: number): string {
    return this.head.nameAt(line);
  }

  headerLines(name: string): readonly string[] {
    return this.toList(() => false).lines(name);
  }

  first(name: string): string | undefined {
    return this.headerLines(name)[0];
  }

  toList(skip: LineFilter): HeaderList {
    const list = this.head.toList(skip);
    this.edit(list);
    return list;
  }
}
