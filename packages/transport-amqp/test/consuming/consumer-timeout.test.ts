import { expect, test } from "vitest";
import { control, hasAccounts, policy } from "../support/accounts.ts";
import { declaration, Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

const event = { name: "x", id: "1", time: 0, headers: {}, body: Buffer.from("1") };

test.runIf(hasAccounts)(
  "H3 from RabbitMQ 4.3 on no consumer timeout of the broker ends a consumer of ours",
  async ({ skip }) => {
    const space = new Space();
    skip(!(await space.isAtLeast(4, 3)));
    const connection = await space.connect();
    await connection.declarations.declare([declaration("uc", "x")]);
    await policy(space, "^PREFIX/uc$", { "consumer-timeout": 500 });
    await connection.publish([event]);
    const channel = await space.channel();
    let others = 0;
    // Another program's consumer of the same queue is ended.
    await channel.prefetch(1);
    await channel.consume(space.name("uc"), (message) => {
      if (message !== null) return;
      others += 1;
      void channel.close();
    });
    await until("it is ended", () => others > 0);
    let deliveries = 0;
    const settled = new Promise((resolve) => {
      void connection.subscribe("uc", { readAhead: 5, declaration: "" }, (delivery) => {
        deliveries += 1;
        setTimeout(() => resolve(delivery.settle({ kind: "dead", id: "1", event })), 3_000);
      });
    });
    expect(await settled).toBe("stored");
    expect(deliveries).toBe(1);
  },
);

test.runIf(hasAccounts)(
  "T6, L3 a consumer timeout of the broker makes no suspect of the event, and the consumer comes back",
  { timeout: 60_000 },
  async ({ skip }) => {
    const space = new Space();
    // Older ones have no consumer timeout of a queue, and the broker's is not only ours; newer ones see the test above.
    skip(!(await space.isAtLeast(3, 12)) || (await space.isAtLeast(4, 3)));
    // How often the broker looks.
    await control("eval", "application:set_env(rabbit, channel_tick_interval, 500).");
    const connection = await space.connect();
    await connection.declarations.declare([declaration("uc", "x")]);
    await policy(space, "^PREFIX/uc$", { "consumer-timeout": 1_000 });
    await connection.publish([event]);
    const redeliveries: number[] = [];
    await connection.subscribe("uc", { readAhead: 5, declaration: "" }, (delivery) => {
      redeliveries.push(delivery.redeliveries);
      if (redeliveries.length === 3) void delivery.settle({ kind: "done", outputs: [] });
    });
    await until("two timeouts", () => redeliveries.length === 3, 50_000);
    expect(redeliveries).toEqual([0, 0, 0]);
    await until("it is gone", async () => (await space.size("uc")) === 0);
  },
);
