// Why a resource is refused: the field path and the reason. Thrown inside decode, caught at the one place that turns it into a NACK.
export class Refusal extends Error {
  readonly path: string;

  constructor(path: string, reason: string) {
    super(path === "" ? reason : `${path}: ${reason}`);
    this.name = "Refusal";
    this.path = path;
  }
}

/** Anything that decode may throw, in one line. */
export function refusalText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function joinPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
