// Operational failures with a stable code; every code is listed in docs/errors.md.
export class SerinError extends Error {
  readonly code: string;
  /** What the user can do about it, one sentence. */
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: { cause?: unknown; fix?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SerinError";
    this.code = code;
    this.fix = options.fix;
  }
}
