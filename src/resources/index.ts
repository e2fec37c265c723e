export { refOf } from "./resource.ts";
export type { Kind, Locate, ObjectMeta, Position, Resource } from "./resource.ts";
export type * from "./specs.ts";
