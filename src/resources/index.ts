export { extendPath, joinPath, pathOf, splitPath } from "./field-path.ts";
export { issueAt } from "./issue-at.ts";
export { DEFAULT_LIMITS, type ParseLimits } from "./limits.ts";
export { type ParsedObject, parseObject } from "./parse-object.ts";
export { type ParsedSources, parseSources, type Source } from "./parse-sources.ts";
export { readSources, type ReadSourcesOptions, readSourceTexts } from "./read-sources.ts";
export { refOf } from "./resource.ts";
export type { Kind, Locate, ObjectMeta, Position, Resource } from "./resource.ts";
export type * from "./specs.ts";
