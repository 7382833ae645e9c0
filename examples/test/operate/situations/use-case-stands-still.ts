import { useCase } from "@papa-events/core";
import { until, untilAllIsWell, untilThereAre } from "../site.ts";
import type { Cause } from "./situation.ts";

/** One use case is paused and forgotten, the service of another does not run, and the handlers of a third hang. */
export const standsStill: Cause = async (site) => {
  const handled: string[] = [];
  const release = Promise.withResolvers<void>();
  const note = (_: unknown, { useCase: name }: { readonly useCase: string }) => void handled.push(name);
  const printLabel = useCase("print_label", { on: "parcel.packed" }, note);
  const sendInvoice = useCase("send_invoice", { on: "invoice.paid" }, note);
  const chargeCard = useCase("charge_card", { on: "order.placed", concurrency: 2 }, () => release.promise);
  const chargeCardWithTimeout = useCase("charge_card", { on: "order.placed", concurrency: 2, timeout: "5s" }, note);

  const invoicing = await site.service("invoicing", [sendInvoice]);
  await invoicing.stop();
  const app = await site.service("warehouse", [printLabel]);
  await site.ops.pause("print_label");
  await until("the pause is followed", () => app.health().paused.includes("print_label"));
  const payments = await site.service("payments", [chargeCard]);
  site.afterwards(async () => release.resolve());
  for (const name of ["order.placed", "parcel.packed", "invoice.paid"])
    await app.newEvents(Array.from({ length: 4 }, (_, n) => ({ name, payload: { order: n + 1 } })));
  await untilThereAre(site, "print_label", { ready: 4 });
  await untilThereAre(site, "send_invoice", { ready: 4 });
  await until("two handlers hang", async () => ((await payments.stats()).charge_card?.inFlight ?? 0) >= 2);

  return {
    meanwhile: {
      "the service invoicing is started": () => site.service("invoicing", [sendInvoice]),
      "the service payments is deployed with a timeout": async () => {
        await payments.stop();
        await site.service("payments", [chargeCardWithTimeout]);
      },
      "they have caught up": () => untilAllIsWell(site, "print_label", "send_invoice", "charge_card"),
    },
    healthy: async () => {
      await untilAllIsWell(site, "print_label", "send_invoice", "charge_card");
      for (const name of ["print_label", "send_invoice", "charge_card"]) {
        const count = new Set(handled.filter((each) => each === name)).size;
        if (count === 0) throw new Error(`nothing of ${name} was handled`);
      }
    },
  };
};
