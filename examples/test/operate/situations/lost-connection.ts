import { useCase } from "@papa-events/core";
import { until, untilAllIsWell } from "../site.ts";
import type { Cause } from "./situation.ts";

/** The network between the services and their broker is gone. */
export const lostConnection: Cause = async (site) => {
  const proxy = await site.broker.proxy();
  site.url = `${proxy.uri}${new URL(site.url).search}`;
  const shipped = new Set<string>();
  const shipOrder = useCase("ship_order", { on: "order.paid" }, (_, { id }) => void shipped.add(id));
  const app = await site.service("shipping", [shipOrder]);
  proxy.refuse();
  await until("the app has noticed", () => !app.health().connected);
  const published = app.newEvent("order.paid", { order: 7 });

  return {
    meanwhile: {
      "the network is back": async () => {
        proxy.accept();
        await until("the app is connected again", () => app.health().healthy);
      },
    },
    healthy: async () => {
      const { id } = await published;
      await until("what was published meanwhile is handled", () => shipped.has(id));
      await untilAllIsWell(site, "ship_order");
    },
  };
};
