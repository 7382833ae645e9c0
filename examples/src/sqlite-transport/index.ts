export { fromUri, type SqliteOptions, sqlite } from "./sqlite.ts";
export type { SqliteTransport } from "./transport.ts";
