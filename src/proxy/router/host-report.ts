// What a host's outlier detection hears of an answer: its status, or for gRPC the status that the grpc-status of its head stands for.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier#grpc
import type { AnswerLines } from "../config/index.ts";
import type { Host } from "../upstream/host.ts";

/** By grpc-status, 0 to 16. */
const HTTP_STATUS = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401] as const;

/** `grpcStatus`: as it stands in the answer's head, for a gRPC request only. */
export function reportAnswer(host: Host, head: AnswerLines, grpcStatus: string | undefined): void {
  const { outlier } = host;
  if (outlier === undefined) return;
  const code = grpcStatus === undefined || !/^\d{1,9}$/.test(grpcStatus) ? undefined : Number(grpcStatus);
  outlier.putAnswer(outlier.statusFor(head, code === undefined ? head.status : (HTTP_STATUS[code] ?? 500)));
}
