// What the way of a request asks of the overload manager: one flag while all is well.

export interface Overload {
  /** Some requests are refused: `refusesRequest` says which. */
  readonly shedding: boolean;
  refusesRequest(): boolean;
  /** Asked for each new connection. `limitless`: it does not count. */
  refusal(limitless: boolean): ConnectionRefusal | undefined;
  /** Open connections that count against the limit. */
  connections: number;
}

export type ConnectionRefusal = "overload" | "limit";

/** For what runs without a manager: nothing is ever refused. */
export function noOverload(): Overload {
  return { shedding: false, refusesRequest: () => false, refusal: () => undefined, connections: 0 };
}
