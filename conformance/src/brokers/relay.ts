// A process in a network of its own that leads clients of this machine to the nodes in there: it is given servers that
// listen outside, since a socket stays in the network where it was opened, and connects inside.
import { connect, type Server, type Socket } from "node:net";

/** Comes with each server: the addresses that its clients are led to, the next one where the one before refuses. */
export interface RelayOrder {
  readonly hosts: readonly string[];
  readonly port: number;
}

process.on("message", ({ hosts, port }: RelayOrder, server: Server) => {
  let turn = 0;
  server.on("connection", (client: Socket) => {
    turn += 1;
    const order = hosts.map((_, index) => hosts[(turn + index) % hosts.length] ?? "");
    client.setNoDelay(true).on("error", () => {});
    lead(client, order, port);
  });
  process.send?.("listening");
});
process.send?.("ready");
// It ends with the run, whatever ended that.
process.on("disconnect", () => process.exit());

function lead(client: Socket, [host, ...others]: readonly string[], port: number): void {
  if (host === undefined) {
    client.resetAndDestroy();
    return;
  }
  const node = connect({ host, port, noDelay: true });
  node.once("error", () => lead(client, others, port));
  node.once("connect", () => {
    node.removeAllListeners("error").on("error", () => {});
    client.pipe(node).pipe(client);
    client.on("close", () => node.destroy());
    node.on("close", (failed) => (failed ? client.resetAndDestroy() : client.destroy()));
    if (client.destroyed) node.destroy();
  });
}
