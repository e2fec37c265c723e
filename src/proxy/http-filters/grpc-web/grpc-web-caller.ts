// The answering side of gRPC-Web: gRPC's trailers become the last frame of the body, and an answer that is no gRPC becomes one that says why.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
import { isGrpc } from "../../http/header-kinds.ts";
import { type AnswerHead, trailerFields, type Trailers } from "../../http/message.ts";
import { Dechunker } from "../../http1/dechunk.ts";
import { grpcMessage, grpcStatusOf } from "../../observe/grpc-status.ts";
import type { AnswerNotes, WholeAnswer } from "../../router/caller.ts";
import { CallerFilter, EditedAnswerHead } from "../../router/caller-filter.ts";
import type { Exchange } from "../../router/exchange.ts";
import type { AnswerStart, UpstreamStream } from "../../upstream/pool/upstream-stream.ts";
import { FrameEncoder } from "./frame-encoder.ts";

const TRAILER_FRAME = 0x80;
/** So much of a foreign answer's body becomes `grpc-message`. */
const MAX_MESSAGE = 16_384;
const NOTHING = Buffer.alloc(0);

export interface GrpcWebForm {
  /** The request's body is in base64. */
  readonly textRequest: boolean;
  /** The caller reads base64. */
  readonly textAnswer: boolean;
}

export class GrpcWebCaller extends CallerFilter {
  private readonly exchange: Exchange;
  private readonly form: GrpcWebForm;
  private readonly encoder: FrameEncoder | undefined;
  private dechunker: Dechunker | undefined = undefined;
  /** An answer that is no gRPC waits for its body. */
  private foreign: { readonly stream: UpstreamStream; readonly start: AnswerStart; readonly notes: AnswerNotes } | undefined = undefined;
  private message = "";

  constructor(exchange: Exchange, form: GrpcWebForm) {
    super(exchange.caller);
    this.exchange = exchange;
    this.form = form;
    this.encoder = form.textAnswer ? new FrameEncoder() : undefined;
  }

  /** A decoded body has lost its chunks. */
  override get chunked(): boolean {
    return this.inner.chunked && !this.form.textRequest;
  }

  private get contentType(): string {
    return this.form.textAnswer ? "application/grpc-web-text+proto" : "application/grpc-web+proto";
  }

  override sendWhole(answer: WholeAnswer): void {
    const { list, body, status } = answer;
    list.set("content-type", this.contentType);
    if (body !== "") {
      list.set("grpc-message", grpcMessage(body));
      list.set("grpc-status", String(grpcStatusOf(status)));
    }
    this.inner.sendWhole({ ...answer, body: "" });
  }

  override beginAnswer(stream: UpstreamStream, start: AnswerStart, notes: AnswerNotes): Buffer | undefined {
    const { head, framing, data, bodyAt, forwardEnd } = start;
    const body = data.subarray(bodyAt, forwardEnd);
    if (framing === "chunked") this.dechunker = new Dechunker();
    const over = start.complete && body.length === 0 && trailerFields(stream.trailers).length === 0;
    if (!over && !isGrpcAnswer(head)) {
      this.foreign = { stream, start, notes };
      return body;
    }
    const edited = new EditedAnswerHead(head, (list) => list.set("content-type", this.contentType));
    return this.beginEdited({ stream, start, notes }, edited, over) ?? body;
  }

  /** undefined = it went out whole. */
  private beginEdited(
    answer: { readonly stream: UpstreamStream; readonly start: AnswerStart; readonly notes: AnswerNotes },
    head: AnswerHead,
    complete: boolean,
  ): Buffer | undefined {
    const start: AnswerStart = {
      head,
      framing: complete && answer.start.framing === "none" ? "none" : "plain",
      bytes: "",
      data: NOTHING,
      bodyAt: 0,
      forwardEnd: 0,
      complete,
    };
    const rest = this.inner.beginAnswer(answer.stream, start, answer.notes);
    if (rest === undefined || !complete) return undefined;
    this.inner.endAnswer(NOTHING, true, undefined);
    return undefined;
  }

  override writeAnswer(view: Buffer): boolean {
    const bytes = this.translate(view);
    return bytes.length === 0 || this.inner.writeAnswer(bytes, true);
  }

  private translate(view: Buffer): Buffer {
    const plain = this.dechunker === undefined ? view : Buffer.concat(this.dechunker.feed(view));
    if (this.foreign !== undefined) {
      if (this.message.length < MAX_MESSAGE) this.message += plain.toString("latin1", 0, MAX_MESSAGE - this.message.length);
      return NOTHING;
    }
    return this.encoder === undefined ? Buffer.from(plain) : this.encoder.encode(plain);
  }

  override endAnswer(view: Buffer, _lasting: boolean, trailers: Trailers): boolean {
    const { exchange, foreign } = this;
    const bytes = this.translate(view);
    if (foreign !== undefined) {
      const { head } = foreign.start;
      const status = grpcStatusOf(head.status);
      const edited = new EditedAnswerHead(
        head,
        (list) => {
          list.set("content-type", this.contentType);
          list.set("grpc-message", grpcMessage(this.message));
          list.set("grpc-status", String(status));
        },
        0,
      );
      this.beginEdited(foreign, edited, true);
      return true;
    }
    const fields = trailerFields(trailers);
    const last = fields.length === 0 ? bytes : Buffer.concat([bytes, this.trailerFrame(fields)]);
    const free = this.inner.endAnswer(last, true, undefined);
    exchange.responseTrailers = trailers;
    return free;
  }

  private trailerFrame(fields: readonly { readonly name: string; readonly value: string }[]): Buffer {
    const text = fields.map(({ name, value }) => `${name}:${value}\r\n`).join("");
    const frame = Buffer.alloc(5 + text.length);
    frame[0] = TRAILER_FRAME;
    frame.writeUInt32BE(text.length, 1);
    frame.write(text, 5, "latin1");
    return this.encoder === undefined ? frame : Buffer.from(frame.toString("base64"), "latin1");
  }
}

/** gRPC, or an upstream that speaks gRPC-Web itself. */
function isGrpcAnswer(head: AnswerHead): boolean {
  if (head.status !== 200) return false;
  const type = head.first("content-type") ?? "";
  if (isGrpc(type)) return true;
  const bare = (type.split(";")[0] ?? "").trimEnd().toLowerCase();
  return bare === "application/grpc-web" || bare === "application/grpc-web+proto";
}
