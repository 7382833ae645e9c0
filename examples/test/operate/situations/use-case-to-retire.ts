import { useCase } from "@papa-events/core";
import { until, untilAllIsWell, untilThereAre } from "../site.ts";
import { type Cause, failure } from "./situation.ts";

/** A use case that no service runs any more still collects events. */
export const useCaseToRetire: Cause = async (site) => {
  const faxOrder = useCase("fax_order", { on: "order.paid", retries: 0 }, () => {
    throw failure("The line is busy", "dial (/srv/shop/fax/dial.ts:4:9)");
  });
  const shipOrder = useCase("ship_order", { on: "order.paid" }, () => {});
  const fax = await site.service("fax", [faxOrder]);
  const app = await site.service("shipping", [shipOrder]);
  const pay = (orders: number) =>
    app.newEvents(Array.from({ length: orders }, (_, n) => ({ name: "order.paid", payload: { order: n + 1 } })));
  await pay(2);
  await untilThereAre(site, "fax_order", { dead: 2 });
  await fax.stop();
  await pay(5);
  await untilThereAre(site, "fax_order", { ready: 5 });

  return {
    healthy: async () => {
      await until("it is gone", async () => (await site.ops.useCases()).every(({ name }) => name !== "fax_order"));
      await pay(1);
      await untilAllIsWell(site, "ship_order");
    },
  };
};
