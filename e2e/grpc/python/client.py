"""The interop client on grpcio: client.py DESCRIPTORS ADDRESS AUTHORITY CASES. Prints {case: what went wrong, "" = nothing} as JSON."""
import json
import queue
import sys

import grpc
from schema import INITIAL, SERVICE, TRAILING, Schema, echo

descriptors, address, authority, cases = sys.argv[1:]
schema = Schema(descriptors)
channel = grpc.insecure_channel(address, options=[("grpc.default_authority", authority)])

PATIENCE_S = 10
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
ASKED = [31415, 9, 2653, 58979]
SENT = [27182, 8, 1828, 45904]
ECHOED = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab"))


def call_of(kind, name, request, response, service=SERVICE):
    return kind(f"/{service}/{name}", request_serializer=request.SerializeToString, response_deserializer=response.FromString)


empty_call = call_of(channel.unary_unary, "EmptyCall", schema.Empty, schema.Empty)
unary_call = call_of(channel.unary_unary, "UnaryCall", schema.SimpleRequest, schema.SimpleResponse)
input_call = call_of(
    channel.stream_unary, "StreamingInputCall", schema.StreamingInputCallRequest, schema.StreamingInputCallResponse
)
output_call = call_of(
    channel.unary_stream, "StreamingOutputCall", schema.StreamingOutputCallRequest, schema.StreamingOutputCallResponse
)
duplex_call = call_of(
    channel.stream_stream, "FullDuplexCall", schema.StreamingOutputCallRequest, schema.StreamingOutputCallResponse
)


def equal(got, expected):
    if got != expected:
        raise AssertionError(f"{got!r} is not {expected!r}")


def fails(code, act):
    """What the call says when it fails with this code."""
    try:
        act()
    except grpc.RpcError as error:
        equal(error.code(), code)
        return error.details()
    raise AssertionError(f"no error, {code} was due")


def sizes(answers):
    return [len(answer.payload.body) for answer in answers]


class Requests:
    """Sent as they are said."""

    def __init__(self):
        self.waiting = queue.Queue()

    def say(self, request):
        self.waiting.put(request)

    def end(self):
        self.waiting.put(None)

    def __iter__(self):
        return iter(self.waiting.get, None)


def large():
    return schema.SimpleRequest(response_size=314159, payload=schema.payload(271828))


def empty_unary():
    equal(empty_call(schema.Empty(), timeout=PATIENCE_S), schema.Empty())


def large_unary():
    equal(len(unary_call(large(), timeout=PATIENCE_S).payload.body), 314159)


def client_streaming():
    requests = (schema.StreamingInputCallRequest(payload=schema.payload(size)) for size in SENT)
    equal(input_call(requests, timeout=PATIENCE_S).aggregated_payload_size, 74922)


def server_streaming():
    equal(sizes(output_call(schema.output(ASKED), timeout=PATIENCE_S)), ASKED)


def ping_pong():
    requests = Requests()
    answers = duplex_call(iter(requests), timeout=PATIENCE_S)
    for asked, sent in zip(ASKED, SENT):
        requests.say(schema.output([asked], payload=schema.payload(sent)))
        equal(sizes([next(answers)]), [asked])
    requests.end()
    equal(sizes(answers), [])


def empty_stream():
    equal(sizes(duplex_call(iter(()), timeout=PATIENCE_S)), [])


def is_echoed(call):
    equal(echo(call.initial_metadata(), INITIAL), ECHOED[:1])
    equal(echo(call.trailing_metadata(), TRAILING), ECHOED[1:])


def custom_metadata():
    _, call = unary_call.with_call(large(), timeout=PATIENCE_S, metadata=ECHOED)
    is_echoed(call)
    request = schema.output([314159], payload=schema.payload(271828))
    answers = duplex_call(iter([request]), timeout=PATIENCE_S, metadata=ECHOED)
    equal(sizes(answers), [314159])
    is_echoed(answers)


def status_code_and_message():
    status = schema.EchoStatus(code=2, message="test status message")
    request = schema.SimpleRequest(response_status=status)
    equal(fails(grpc.StatusCode.UNKNOWN, lambda: unary_call(request, timeout=PATIENCE_S)), "test status message")
    stream = schema.StreamingOutputCallRequest(response_status=status)
    details = fails(grpc.StatusCode.UNKNOWN, lambda: list(duplex_call(iter([stream]), timeout=PATIENCE_S)))
    equal(details, "test status message")


def special_status_message():
    request = schema.SimpleRequest(response_status=schema.EchoStatus(code=2, message=SPECIAL))
    equal(fails(grpc.StatusCode.UNKNOWN, lambda: unary_call(request, timeout=PATIENCE_S)), SPECIAL)


def unimplemented(service):
    call = call_of(channel.unary_unary, "UnimplementedCall", schema.Empty, schema.Empty, service)
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: call(schema.Empty(), timeout=PATIENCE_S))


def unimplemented_method():
    unimplemented(SERVICE)


def unimplemented_service():
    unimplemented("grpc.testing.UnimplementedService")


def cancel_after_begin():
    requests = Requests()
    call = input_call.future(iter(requests), timeout=PATIENCE_S)
    call.cancel()
    requests.end()
    equal(call.code(), grpc.StatusCode.CANCELLED)


def cancel_after_first_response():
    requests = Requests()
    answers = duplex_call(iter(requests), timeout=PATIENCE_S)
    requests.say(schema.output([31415], payload=schema.payload(27182)))
    equal(sizes([next(answers)]), [31415])
    answers.cancel()
    requests.end()
    fails(grpc.StatusCode.CANCELLED, lambda: next(answers))


def timeout_on_sleeping_server():
    # Long enough for the call to reach the server: its deadline travels with it.
    requests = Requests()
    answers = duplex_call(iter(requests), timeout=0.2)
    requests.say(schema.output([31415], interval_us=5_000_000, payload=schema.payload(27182)))
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(answers))
    requests.end()


def play(name):
    try:
        globals()[name]()
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps({name: play(name) for name in cases.split(",")}))
channel.close()
