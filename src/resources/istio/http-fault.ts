// HTTPFaultInjection (istio validateHTTPFaultInjection).
import { duration, must } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import { int32, num, obj, type ObjectSchema, str } from "../schema/schema.ts";

const GRPC_STATUSES = [
  "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
]; // prettier-ignore

const percentage = obj({
  value: num({
    check: must((value: number) =>
      value === 0 || (value >= 0.0001 && value <= 100) ? undefined : `a percentage is 0 or from 0.0001 to 100, but this is ${value}`,
    ),
  }),
});

interface AbortSpec {
  readonly httpStatus?: number;
  readonly grpcStatus?: string;
  readonly http2Error?: string;
}

export const fault: ObjectSchema = obj(
  {
    delay: obj<{ readonly exponentialDelay?: string }>(
      { percent: int32(), percentage, fixedDelay: duration(), exponentialDelay: duration() },
      {
        oneOf: [["fixedDelay", "exponentialDelay"]],
        check: (delay, path, report) => {
          if (delay.exponentialDelay !== undefined)
            report.error(joinPath(path, "exponentialDelay"), "exponentialDelay is not supported", "Use fixedDelay.");
        },
      },
    ),
    abort: obj<AbortSpec>(
      {
        httpStatus: int32({
          check: must((status: number) =>
            status < 200 || status > 600 ? `a status is from 200 to 599, but this is ${status}` : undefined,
          ),
        }),
        grpcStatus: str({
          check: must(
            (status: string) => (GRPC_STATUSES.includes(status) ? undefined : `${JSON.stringify(status)} is no gRPC status`),
            "Write a name such as UNAVAILABLE.",
          ),
        }),
        http2Error: str(),
        percentage,
      },
      {
        oneOf: [["httpStatus", "grpcStatus", "http2Error"]],
        check: (abort, path, report) => {
          if (abort.http2Error !== undefined)
            report.error(joinPath(path, "http2Error"), "http2Error is not supported", "Use httpStatus or grpcStatus.");
          else if (abort.httpStatus === undefined && abort.grpcStatus === undefined)
            report.warning(path, "an abort without status does nothing", "Add httpStatus or grpcStatus.");
        },
      },
    ),
  },
  {
    check: (value, path, report) => {
      if (value["delay"] === undefined && value["abort"] === undefined)
        report.error(path, "a fault has delay, abort or both", "Write one of them, or remove fault.");
    },
  },
);
