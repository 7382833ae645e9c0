export { type TransportFactory, transportFromUri } from "./transport/from-uri.ts";
