import { isPapaError, useCase } from "@papa-events/core";
import { redisCommand } from "../redis-command.ts";
import { until, untilAllIsWell, untilThereAre } from "../site.ts";
import { type Cause, failure } from "./situation.ts";

const LETTER = "x".repeat(200_000);
const LETTERS = 10;

/** A Redis whose memory is used up by what nobody handles any more and by dead letters that nobody looked at. */
export const brokerIsFull: Cause = async (site) => {
  const nightlyReport = useCase("nightly_report", { on: "order.#" }, () => {});
  const sendReceipt = useCase("send_receipt", { on: "receipt.due", retries: 0 }, () => {
    throw failure("Unknown template", "render (/srv/shop/mailer/template.ts:18:9)");
  });
  const shipOrder = useCase("ship_order", { on: "shipment.due" }, () => {});
  await (await site.service("reports", [nightlyReport])).stop();
  const app = await site.service("shop", [sendReceipt, shipOrder], { publishTimeout: "1s" });
  const publish = (name: string) => app.newEvent(name, { text: LETTER });
  for (let n = 0; n < LETTERS; n++) await publish("receipt.due");
  await untilThereAre(site, "send_receipt", { dead: LETTERS });

  site.afterwards(() => redisCommand(site.broker.uri, "CONFIG SET maxmemory 0"));
  const used = /used_memory:(\d+)/.exec(await redisCommand(site.broker.uri, "INFO memory"))?.[1];
  await redisCommand(site.broker.uri, `CONFIG SET maxmemory ${Number(used) + 10 * LETTER.length}`);
  await until("the server is full", () =>
    publish("order.placed").then(
      () => false,
      (error: unknown) => isPapaError(error, "publish-timeout"),
    ),
  );

  return {
    healthy: async () => {
      await publish("shipment.due");
      await untilAllIsWell(site, "send_receipt", "ship_order");
      await until("the app is healthy", () => app.health().healthy);
    },
  };
};
