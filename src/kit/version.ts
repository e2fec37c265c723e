// The release that this is; package.json says the same (checked by the test beside).
export const VERSION = "0.1.0";
