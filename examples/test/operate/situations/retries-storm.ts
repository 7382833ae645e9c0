import { useCase } from "@papa-events/core";
import { until, untilAllIsWell, untilThereAre } from "../site.ts";
import { type Cause, failure } from "./situation.ts";

const INVOICES = 30;

/** A bank answers nobody, and each invoice is tried again and again. */
export const retriesStorm: Cause = async (site) => {
  const bank = { up: false, calls: 0, paid: new Set<string>() };
  const collectPayment = useCase(
    "collect_payment",
    { on: "invoice.issued", retries: 100, retryDelay: "1s" },
    (_, { id }) => {
      bank.calls += 1;
      if (!bank.up) throw failure("The bank answers 503", "callBank (/srv/shop/billing/bank.ts:12:9)");
      bank.paid.add(id);
    },
  );
  const app = await site.service("billing", [collectPayment]);
  await app.newEvents(
    Array.from({ length: INVOICES }, (_, n) => ({ name: "invoice.issued", payload: { number: n + 1 } })),
  );
  await untilThereAre(site, "collect_payment", { waiting: INVOICES });

  return {
    meanwhile: {
      "the bank is no longer called": async () => {
        await until("the app follows the pause", () => app.health().paused.includes("collect_payment"));
      },
      "the bank answers again": async () => {
        bank.up = true;
      },
      "the payments are collected": () => untilAllIsWell(site, "collect_payment"),
    },
    healthy: async () => {
      await untilAllIsWell(site, "collect_payment");
      if (bank.paid.size !== INVOICES) throw new Error(`${bank.paid.size} of ${INVOICES} were paid`);
    },
  };
};
