"""test-service.proto as grpcio wants it: message classes made at run time from compiled descriptors, without generated code."""
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "grpc.testing.TestService"
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


class Schema:
    """Messages as attributes by their short names: schema.SimpleRequest."""

    def __init__(self, file):
        with open(file, "rb") as source:
            descriptors = descriptor_pb2.FileDescriptorSet.FromString(source.read())
        pool = descriptor_pool.DescriptorPool()
        for descriptor in descriptors.file:
            pool.Add(descriptor)
            for message in descriptor.message_type:
                name = f"{descriptor.package}.{message.name}"
                setattr(self, message.name, message_factory.GetMessageClass(pool.FindMessageTypeByName(name)))

    def payload(self, size):
        return self.Payload(body=bytes(size))

    def output(self, sizes, interval_us=0, **more):
        parameters = [self.ResponseParameters(size=size, interval_us=interval_us) for size in sizes]
        return self.StreamingOutputCallRequest(response_parameters=parameters, **more)


def echo(metadata, key):
    return tuple((name, value) for name, value in metadata if name == key)
