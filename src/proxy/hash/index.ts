export { hashAddress } from "./address.ts";
export { compareHash, hexHash, moduloHash, randomHash, rotateHash, xorHash } from "./hash64.ts";
export { type Hash64, xxh64 } from "./xxh64.ts";
