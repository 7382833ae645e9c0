import { type PapaApp, useCase } from "@papa-events/core";
import { until, untilAllIsWell, untilThereAre } from "../site.ts";
import { type Cause, failure } from "./situation.ts";

const ORDERS = 8;

/** A version of a service was deployed in which every order fails. */
export const afterABadDeploy: Cause = async (site) => {
  const shipped = new Set<string>();
  const bad = useCase("ship_order", { on: "order.paid", retries: 1, retryDelay: "100ms" }, () => {
    throw failure("order.address is undefined", "shipOrder (/srv/shop/shipping/ship-order.ts:9:23)");
  });
  const good = useCase("ship_order", { on: "order.paid" }, (_, { id }) => void shipped.add(id));
  const app = await site.service("shipping", [bad]);
  const shop = await site.service("shop", []);
  const pay = (app: PapaApp) =>
    app.newEvents(Array.from({ length: ORDERS }, (_, n) => ({ name: "order.paid", payload: { order: n + 1 } })));
  await pay(shop);
  await untilThereAre(site, "ship_order", { dead: ORDERS });

  return {
    meanwhile: {
      "five seconds pass, and orders go on coming": async () => {
        await until("the app follows the pause", () => app.health().paused.includes("ship_order"));
        await pay(shop);
        await untilThereAre(site, "ship_order", { ready: ORDERS });
      },
      "the version before is deployed again": async () => {
        await app.stop();
        await site.service("shipping", [good]);
      },
      "they have caught up": () => untilAllIsWell(site, "ship_order"),
    },
    healthy: async () => {
      await untilAllIsWell(site, "ship_order");
      if (shipped.size !== 2 * ORDERS) throw new Error(`${shipped.size} of ${2 * ORDERS} orders were shipped`);
    },
  };
};
