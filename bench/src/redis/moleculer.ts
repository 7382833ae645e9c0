import { type BrokerContender, inLoops } from "../broker-client.ts";
import { startMoleculer } from "../moleculer-broker.ts";
import { makePayload } from "../payload.ts";

export const moleculer: BrokerContender = {
  name: "moleculer channels",
  lacks: "no wildcards",
  share: 0.2,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const adapter = { type: "Redis", options: { redis: { url: uri, ...address(uri) } } };
    const channel = handle && { group: "bench", maxInFlight: handlers, redis: { startID: "0" }, handler: handle };
    const broker = await startMoleculer(namespace, adapter, channel);
    return {
      publish: (count) => inLoops(count, 1_000, (index) => broker.sendToChannel("user.created", makePayload(index))),
      close: () => broker.stop(),
    };
  },
};

function address(uri: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(uri);
  return { host: hostname, port: Number(port) };
}
