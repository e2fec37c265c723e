"""The interop server on grpcio: server.py DESCRIPTORS. Its port is the first line it prints; then a line for each duplex call that was
cancelled: after how many requests that it had answered."""
import sys
import threading
from concurrent import futures

import grpc
from schema import INITIAL, SERVICE, TRAILING, Schema, echo

schema = Schema(sys.argv[1])
CODES = {code.value[0]: code for code in grpc.StatusCode}


def say(text):
    print(text, flush=True)


def empty_call(_request, _context):
    return schema.Empty()


def unary_call(request, context):
    metadata = context.invocation_metadata()
    context.send_initial_metadata(echo(metadata, INITIAL))
    context.set_trailing_metadata(echo(metadata, TRAILING))
    if request.HasField("response_status"):
        context.abort(CODES[request.response_status.code], request.response_status.message)
    return schema.SimpleResponse(payload=schema.payload(request.response_size))


def streaming_input_call(requests, _context):
    size = sum(len(request.payload.body) for request in requests)
    return schema.StreamingInputCallResponse(aggregated_payload_size=size)


def answers(request, over):
    for parameters in request.response_parameters:
        if over.wait(parameters.interval_us / 1e6):
            return
        yield schema.StreamingOutputCallResponse(payload=schema.payload(parameters.size))


def streaming_output_call(request, context):
    over = threading.Event()
    context.add_callback(over.set)
    yield from answers(request, over)


def full_duplex_call(requests, context):
    over = threading.Event()
    context.add_callback(over.set)
    metadata = context.invocation_metadata()
    context.send_initial_metadata(echo(metadata, INITIAL))
    context.set_trailing_metadata(echo(metadata, TRAILING))
    answered = 0
    try:
        for request in requests:
            if request.HasField("response_status"):
                context.set_code(CODES[request.response_status.code])
                context.set_details(request.response_status.message)
                return
            yield from answers(request, over)
            if over.is_set():
                break
            answered += 1
    except Exception:
        over.set()
        raise
    finally:
        if over.is_set():
            say(f"cancelled after {answered}")


def handler(kind, behaviour, request, response):
    return kind(behaviour, request_deserializer=request.FromString, response_serializer=response.SerializeToString)


def main():
    output = (schema.StreamingOutputCallRequest, schema.StreamingOutputCallResponse)
    methods = {
        "EmptyCall": handler(grpc.unary_unary_rpc_method_handler, empty_call, schema.Empty, schema.Empty),
        "UnaryCall": handler(grpc.unary_unary_rpc_method_handler, unary_call, schema.SimpleRequest, schema.SimpleResponse),
        "StreamingInputCall": handler(
            grpc.stream_unary_rpc_method_handler,
            streaming_input_call,
            schema.StreamingInputCallRequest,
            schema.StreamingInputCallResponse,
        ),
        "StreamingOutputCall": handler(grpc.unary_stream_rpc_method_handler, streaming_output_call, *output),
        "FullDuplexCall": handler(grpc.stream_stream_rpc_method_handler, full_duplex_call, *output),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    say(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


main()
