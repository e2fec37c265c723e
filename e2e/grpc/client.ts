// The interop client on grpc-js: `node client.ts DESCRIPTORS ADDRESS AUTHORITY`. Prints {case: what went wrong, "" = nothing} as JSON.
import assert from "node:assert/strict";
import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { CASES, type CaseName } from "./cases.ts";
import { type InputResponse, payload, readSchema, type SimpleRequest, type StreamingOutputRequest, type WithPayload } from "./schema.ts";

const INITIAL = "x-grpc-test-echo-initial";
const TRAILING = "x-grpc-test-echo-trailing-bin";
const SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
/** A call that takes longer than this hangs. */
const PATIENCE_MS = 10_000;

const [descriptors = "", address = "", authority = ""] = process.argv.slice(2);
const service = readSchema(descriptors);
const client = new Client(address, credentials.createInsecure(), { "grpc.default_authority": authority });

interface Ended {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

interface Unary<T> extends Ended {
  readonly value: T | undefined;
  readonly initial: Metadata | undefined;
}

type Method = MethodDefinition<object, object>;

function method(name: string, of = "grpc.testing.TestService"): Method {
  return service(of)[name] as Method;
}

const options = (ms = PATIENCE_MS): CallOptions => ({ deadline: Date.now() + ms });

/** The outcome of a call that is answered once, whatever it was. */
function outcome<T>(
  begin: (done: (error: ServiceError | null, value?: object) => void) => ClientUnaryCall | ClientWritableStream<object>,
): Promise<Unary<T>> {
  return new Promise((resolve) => {
    let value: T | undefined;
    let initial: Metadata | undefined;
    const call = begin((_error, answer) => (value = answer as T | undefined));
    call.on("metadata", (metadata) => (initial = metadata));
    // The callback comes before it.
    call.on("status", (end: Ended) => setImmediate(() => resolve({ ...end, value, initial })));
  });
}

function unary<T>(of: Method, request: object, metadata = new Metadata()): Promise<Unary<T>> {
  return outcome((done) =>
    client.makeUnaryRequest(of.path, of.requestSerialize, of.responseDeserialize, request, metadata, options(), done),
  );
}

type Duplex = ClientDuplexStream<StreamingOutputRequest, WithPayload>;

function duplex(metadata = new Metadata(), ms?: number): Duplex {
  const { path, requestSerialize, responseDeserialize } = method("FullDuplexCall");
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options(ms)) as Duplex;
}

interface Stream extends Ended {
  /** Sizes of the messages that came. */
  readonly sizes: readonly number[];
  readonly initial: Metadata | undefined;
}

/** Reads to the end; `onMessage` is told how many came. */
function collect(call: ClientReadableStream<WithPayload> | Duplex, onMessage?: (count: number) => void): Promise<Stream> {
  return new Promise((resolve) => {
    const sizes: number[] = [];
    let initial: Metadata | undefined;
    call.on("metadata", (metadata: Metadata) => (initial = metadata));
    call.on("data", (message: WithPayload) => {
      sizes.push(message.payload?.body.length ?? 0);
      onMessage?.(sizes.length);
    });
    call.on("error", () => undefined);
    call.on("status", (end: Ended) => setImmediate(() => resolve({ ...end, sizes, initial })));
  });
}

function input(): { call: ClientWritableStream<WithPayload>; end: Promise<Unary<InputResponse>> } {
  const { path, requestSerialize, responseDeserialize } = method("StreamingInputCall");
  let call!: ClientWritableStream<WithPayload>;
  const end = outcome<InputResponse>((done) => {
    call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, new Metadata(), options(), done);
    return call;
  });
  return { call, end };
}

function echoed(): Metadata {
  const metadata = new Metadata();
  metadata.set(INITIAL, "test_initial_metadata_value");
  metadata.set(TRAILING, Buffer.from([0xab, 0xab, 0xab]));
  return metadata;
}

function isEchoed(initial: Metadata | undefined, trailing: Metadata | undefined): void {
  assert.deepEqual(initial?.get(INITIAL), ["test_initial_metadata_value"]);
  assert.deepEqual(trailing?.get(TRAILING), [Buffer.from([0xab, 0xab, 0xab])]);
}

function output(sizes: readonly number[], more: StreamingOutputRequest = {}): StreamingOutputRequest {
  return { responseParameters: sizes.map((size) => ({ size })), ...more };
}

const ASKED = [31_415, 9, 2653, 58_979];
const SENT = [27_182, 8, 1828, 45_904];

const PLAY: Record<CaseName, () => Promise<void>> = {
  async empty_unary() {
    const { code, value } = await unary(method("EmptyCall"), {});
    assert.equal(code, status.OK);
    assert.ok(value !== undefined);
  },
  async large_unary() {
    const request: SimpleRequest = { responseSize: 314_159, payload: payload(271_828) };
    const { code, value } = await unary<WithPayload>(method("UnaryCall"), request);
    assert.equal(code, status.OK);
    assert.equal(value?.payload?.body.length, 314_159);
  },
  async client_streaming() {
    const { call, end } = input();
    for (const size of SENT) call.write({ payload: payload(size) });
    call.end();
    const { code, value } = await end;
    assert.equal(code, status.OK);
    assert.equal(value?.aggregatedPayloadSize, 74_922);
  },
  async server_streaming() {
    const { path, requestSerialize, responseDeserialize } = method("StreamingOutputCall");
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, output(ASKED), new Metadata(), options());
    const { code, sizes } = await collect(call as ClientReadableStream<WithPayload>);
    assert.equal(code, status.OK);
    assert.deepEqual(sizes, ASKED);
  },
  async ping_pong() {
    const call = duplex();
    const say = (i: number): void => {
      if (i < ASKED.length) call.write(output([ASKED[i] ?? 0], { payload: payload(SENT[i] ?? 0) }));
      else call.end();
    };
    say(0);
    const { code, sizes } = await collect(call, say);
    assert.equal(code, status.OK);
    assert.deepEqual(sizes, ASKED);
  },
  async empty_stream() {
    const call = duplex();
    call.end();
    const { code, sizes } = await collect(call);
    assert.equal(code, status.OK);
    assert.deepEqual(sizes, []);
  },
  async custom_metadata() {
    const one = await unary(method("UnaryCall"), { responseSize: 314_159, payload: payload(271_828) }, echoed());
    assert.equal(one.code, status.OK);
    isEchoed(one.initial, one.metadata);
    const call = duplex(echoed());
    call.write(output([314_159], { payload: payload(271_828) }));
    call.end();
    const two = await collect(call);
    assert.equal(two.code, status.OK);
    isEchoed(two.initial, two.metadata);
  },
  async status_code_and_message() {
    const responseStatus = { code: 2, message: "test status message" };
    const one = await unary(method("UnaryCall"), { responseStatus });
    assert.deepEqual([one.code, one.details], [2, "test status message"]);
    const call = duplex();
    call.write({ responseStatus });
    call.end();
    const two = await collect(call);
    assert.deepEqual([two.code, two.details], [2, "test status message"]);
  },
  async special_status_message() {
    const { code, details } = await unary(method("UnaryCall"), { responseStatus: { code: 2, message: SPECIAL } });
    assert.deepEqual([code, details], [2, SPECIAL]);
  },
  async unimplemented_method() {
    assert.equal((await unary(method("UnimplementedCall"), {})).code, status.UNIMPLEMENTED);
  },
  async unimplemented_service() {
    const { code } = await unary(method("UnimplementedCall", "grpc.testing.UnimplementedService"), {});
    assert.equal(code, status.UNIMPLEMENTED);
  },
  async cancel_after_begin() {
    const { call, end } = input();
    call.cancel();
    assert.equal((await end).code, status.CANCELLED);
  },
  async cancel_after_first_response() {
    const call = duplex();
    call.write(output([31_415], { payload: payload(27_182) }));
    const { code, sizes } = await collect(call, () => call.cancel());
    assert.equal(code, status.CANCELLED);
    assert.deepEqual(sizes, [31_415]);
  },
  async timeout_on_sleeping_server() {
    // Long enough for the call to reach the server: its deadline travels with it.
    const call = duplex(new Metadata(), 200);
    call.write({ payload: payload(27_182), responseParameters: [{ size: 31_415, intervalUs: 5_000_000 }] });
    const { code, sizes } = await collect(call);
    assert.equal(code, status.DEADLINE_EXCEEDED);
    assert.deepEqual(sizes, []);
  },
};

const results: Record<string, string> = {};
for (const name of CASES) {
  try {
    await PLAY[name]();
    results[name] = "";
  } catch (error) {
    results[name] = error instanceof Error ? error.message : String(error);
  }
}
console.log(JSON.stringify(results));
// Deadlines of calls that are over would hold it.
process.exit(0);
