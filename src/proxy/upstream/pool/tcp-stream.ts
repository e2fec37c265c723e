// A tunnel that ends here: an upstream's TCP connection as the answer to a CONNECT. Once it is open the caller is told 200; then bytes pass.
import { HeaderList } from "../../http/header-list.ts";
import type { AnswerHead } from "../../http/message.ts";
import type { OutgoingRequest } from "../../http/outgoing-request.ts";
import { type Conn, type ConnHandler, HIGH_WATER } from "../../network/conn.ts";
import { Timer } from "../../network/timer-wheel.ts";
import type { ResetReason } from "../../observe/failure.ts";
import type { TlsInfo } from "../../transport/tls-info.ts";
import type { PoolRequest } from "./pool.ts";
import type { AnswerStart, UpstreamStream, UpstreamUser } from "./upstream-stream.ts";

export interface TcpOwner {
  onConnected(request: PoolRequest, stream: TcpStream): void;
  onConnectFailure(request: PoolRequest, reason: ResetReason, systemCode: string | undefined): void;
  onClosed(stream: TcpStream): void;
  countReceived(bytes: number): void;
  countSent(bytes: number): void;
}

const NOTHING = Buffer.alloc(0);
const OPEN: AnswerHead = {
  version: "HTTP/1.1",
  status: 200,
  hasDate: false,
  contentLength: -1,
  nameAt: () => "",
  headerLines: () => [],
  first: () => undefined,
  toList: () => new HeaderList(),
};
const START: AnswerStart = { head: OPEN, framing: "plain", bytes: "", data: NOTHING, bodyAt: 0, forwardEnd: 0, complete: false };

export class TcpStream implements ConnHandler, UpstreamStream {
  conn!: Conn;
  localAddress = "";
  tls: TlsInfo | undefined = undefined;
  readonly trailers = undefined;
  readonly outraced = false;
  readonly lasting = true;
  readonly timer: Timer;
  readonly ageTimer = undefined;
  private readonly owner: TcpOwner;
  private readonly request: PoolRequest;
  private user: UpstreamUser | undefined = undefined;
  private connected = false;
  private closed = false;

  constructor(owner: TcpOwner, request: PoolRequest) {
    this.owner = owner;
    this.request = request;
    this.timer = new Timer(() => this.failed("connection timeout", undefined));
  }

  onConnect(tls: TlsInfo | undefined): void {
    this.tls = tls;
    this.connected = true;
    this.localAddress = this.conn.localText;
    // Nothing is read before the caller has been told that the tunnel is open.
    this.conn.pause();
    this.owner.onConnected(this.request, this);
  }

  attach(user: UpstreamUser): void {
    this.user = user;
  }

  send({ bodyText, whole }: OutgoingRequest): void {
    if (bodyText !== "") {
      this.conn.writeStr(bodyText);
      this.owner.countSent(bodyText.length);
    }
    if (whole) this.conn.end();
    // The user has more to do before it can be answered.
    process.nextTick(() => {
      this.user?.onAnswer(this, START);
      if (!this.closed) this.conn.resume();
    });
  }

  write(part: Buffer): boolean {
    this.conn.writeCopy(part);
    this.owner.countSent(part.length);
    return this.conn.pending() <= HIGH_WATER;
  }

  finish(part: Buffer): void {
    if (part.length > 0) this.write(part);
    this.conn.end();
  }

  whenWritable(fn: () => void): void {
    this.conn.whenFlushed(fn);
  }

  resume(): void {
    this.conn.resume();
  }

  prepend(): undefined {
    return undefined;
  }

  release(): void {
    this.user = undefined;
    this.conn.whenFlushed(() => this.conn.destroy());
  }

  abandon(): void {
    this.user = undefined;
    this.conn.destroy();
  }

  onData(data: Buffer, length: number): boolean {
    this.owner.countReceived(length);
    return this.user === undefined || this.user.onAnswerData(this, data, { from: 0, to: length, complete: false });
  }

  onEnd(): void {
    this.user?.onAnswerData(this, NOTHING, { from: 0, to: 0, complete: true });
  }

  private failed(reason: ResetReason, systemCode: string | undefined): void {
    if (this.closed || this.connected) return;
    this.closed = true;
    this.conn.destroy();
    this.owner.onClosed(this);
    this.owner.onConnectFailure(this.request, reason, systemCode);
  }

  onClose(code: string | undefined): void {
    if (!this.connected) {
      this.failed("remote connection failure", code);
      return;
    }
    if (this.closed) return;
    this.closed = true;
    this.owner.onClosed(this);
    const { user } = this;
    this.user = undefined;
    user?.onUpstreamReset(this, "connection termination", code);
  }
}
