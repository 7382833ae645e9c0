/** What the example needs of a transport that is a package of its own. */
declare module "@papa-events/transport-amqp" {
  import type { Transport } from "@papa-events/core";
  export function amqp(uri: string): Transport;
}
