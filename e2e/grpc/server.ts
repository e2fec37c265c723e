// The interop server on grpc-js: `node server.ts DESCRIPTORS`. Its port is the first line it prints; then a line for each duplex call that was
// cancelled: after how many requests that it had answered.
import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { type InputResponse, payload, readSchema, type SimpleRequest, type StreamingOutputRequest, type WithPayload } from "./schema.ts";

const INITIAL = "x-grpc-test-echo-initial";
const TRAILING = "x-grpc-test-echo-trailing-bin";
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

function echo(from: Metadata, key: string): Metadata {
  const back = new Metadata();
  for (const value of from.get(key)) back.set(key, value);
  return back;
}

function unaryCall(call: ServerUnaryCall<SimpleRequest, WithPayload>, done: sendUnaryData<WithPayload>): void {
  const { responseStatus, responseSize = 0 } = call.request;
  const trailers = echo(call.metadata, TRAILING);
  call.sendMetadata(echo(call.metadata, INITIAL));
  if (responseStatus === undefined) done(null, { payload: payload(responseSize) }, trailers);
  else done({ code: responseStatus.code, details: responseStatus.message, metadata: trailers });
}

function streamingInputCall(call: ServerReadableStream<WithPayload, InputResponse>, done: sendUnaryData<InputResponse>): void {
  let size = 0;
  call.on("data", (message: WithPayload) => (size += message.payload?.body.length ?? 0));
  call.on("end", () => done(null, { aggregatedPayloadSize: size }));
}

type Output = ServerWritableStream<StreamingOutputRequest, WithPayload> | ServerDuplexStream<StreamingOutputRequest, WithPayload>;

async function answer(call: Output, request: StreamingOutputRequest): Promise<void> {
  for (const { size, intervalUs = 0 } of request.responseParameters ?? []) {
    if (intervalUs > 0) await sleep(intervalUs / 1000);
    if (call.cancelled) return;
    call.write({ payload: payload(size) });
  }
}

async function streamingOutputCall(call: ServerWritableStream<StreamingOutputRequest, WithPayload>): Promise<void> {
  await answer(call, call.request);
  call.end();
}

function fullDuplexCall(call: ServerDuplexStream<StreamingOutputRequest, WithPayload>): void {
  const trailers = echo(call.metadata, TRAILING);
  call.sendMetadata(echo(call.metadata, INITIAL));
  let answers = Promise.resolve();
  let answered = 0;
  let over = false;
  call.on("data", (message: StreamingOutputRequest) => {
    const { responseStatus } = message;
    if (responseStatus === undefined) {
      answers = answers.then(() => answer(call, message)).then(() => void answered++);
      return;
    }
    over = true;
    call.emit("error", { code: responseStatus.code, details: responseStatus.message, metadata: trailers });
  });
  call.on("end", () => {
    void answers.then(() => {
      if (over || call.cancelled) return;
      over = true;
      call.end(trailers);
    });
  });
  call.on("cancelled", () => {
    if (!over) console.log(`cancelled after ${answered}`);
    over = true;
  });
}

const { UnimplementedCall: _, ...methods } = readSchema(process.argv[2] ?? "")("grpc.testing.TestService");
const server = new Server();
server.addService(methods, {
  EmptyCall: (_call: unknown, done: sendUnaryData<object>) => done(null, {}),
  UnaryCall: unaryCall,
  StreamingInputCall: streamingInputCall,
  StreamingOutputCall: (call: ServerWritableStream<StreamingOutputRequest, WithPayload>) => void streamingOutputCall(call),
  FullDuplexCall: fullDuplexCall,
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(port);
});
