// What there is not to say of a connection where no HTTP is spoken. On the prototype, so that no connection holds a field for it.
export abstract class NoHttp {
  requestHeader(): undefined {}
  responseHeader(): undefined {}
  responseTrailer(): undefined {}
  get grpcStatus(): undefined {
    return undefined;
  }
  get protocol(): "" {
    return "";
  }
  get responseStartMs(): undefined {
    return undefined;
  }
  get requestEndMs(): undefined {
    return undefined;
  }
  get requestSentMs(): undefined {
    return undefined;
  }
  get status(): 0 {
    return 0;
  }
  get terminationDetails(): "" {
    return "";
  }
  get upstreamProtocol(): "" {
    return "";
  }
  get routeName(): "" {
    return "";
  }
  get virtualHostName(): "" {
    return "";
  }
}
