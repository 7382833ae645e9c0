import { changed, DONE, deliveries, isMeant, later, redirected, settlements, store, type Variant } from "./variant.ts";

/** Faults of retries and dead letters. */
export const retryingFaults: readonly Variant[] = [
  settlements("T1", "loses the attempt number", (settlement, delivery) => {
    if (settlement.kind !== "retry") return delivery.settle(settlement);
    const { papa_attempt: _, ...headers } = settlement.event.headers as Record<string, string>;
    return delivery.settle({ ...settlement, event: changed(settlement.event, { headers }) });
  }),

  settlements("T2", "retries to everybody", async (settlement, delivery, connection) => {
    if (settlement.kind !== "retry") return delivery.settle(settlement);
    later(settlement.delay, () => connection.publish([settlement.event]));
    return delivery.settle(DONE);
  }),

  settlements("R3", "retries to everybody", async (settlement, delivery, connection) => {
    if (settlement.kind !== "retry") return delivery.settle(settlement);
    later(settlement.delay, () => connection.publish([settlement.event]));
    return delivery.settle(DONE);
  }),

  settlements("T2", "retries early", (settlement, delivery) =>
    delivery.settle(settlement.kind === "retry" ? { ...settlement, delay: settlement.delay * 0.95 } : settlement),
  ),

  settlements("L9", "has retries wait for a time of day", async (settlement, delivery) => {
    if (settlement.kind !== "retry") return delivery.settle(settlement);
    const due = Date.now() + settlement.delay;
    while (Date.now() < due) await new Promise<void>((resolve) => later(20, resolve));
    return delivery.settle({ ...settlement, delay: 0 });
  }),

  settlements("T2", "retries late", (settlement, delivery) =>
    delivery.settle(settlement.kind === "retry" ? { ...settlement, delay: settlement.delay + 1_200 } : settlement),
  ),

  deliveries("T3", "lets a waiting retry block its queue", () => {
    let blockedUntil = 0;
    return (delivery, hand) => {
      const hold = redirected(delivery, (settlement) => {
        if (settlement.kind === "retry") blockedUntil = performance.now() + settlement.delay;
        return delivery.settle(settlement);
      });
      const wait = blockedUntil - performance.now();
      if (wait <= 0) hand(hold);
      else later(wait, () => hand(hold));
    };
  }),

  deliveries("T3", "lets a long delay hold up the shorter ones behind it", () => {
    let lastDue = 0;
    return (delivery, hand) =>
      hand(
        redirected(delivery, (settlement) => {
          if (settlement.kind !== "retry") return delivery.settle(settlement);
          lastDue = Math.max(lastDue, performance.now() + settlement.delay);
          return delivery.settle({ ...settlement, delay: lastDue - performance.now() });
        }),
      );
  }),

  deliveries("T4", "forgets the attempt number when the connection is lost", () => {
    let connections = 0;
    const known = new WeakMap<object, number>();
    return (delivery, hand, _, connection) => {
      if (!known.has(connection)) known.set(connection, (connections += 1));
      const attempt = (known.get(connection) ?? 1) > 1 ? 1 : delivery.attempt;
      hand(redirected(delivery, (settlement) => delivery.settle(settlement), { attempt }));
    };
  }),

  deliveries("T6", "counts a crash as a retry", () => (delivery, hand) => {
    const attempt = delivery.attempt + delivery.redeliveries;
    hand(redirected(delivery, (settlement) => delivery.settle(settlement), { attempt }));
  }),

  deliveries("T6", "says that it counts redeliveries and does not", () => (delivery, hand) => {
    hand(redirected(delivery, (settlement) => delivery.settle(settlement), { redeliveries: 0 }));
  }),

  settlements("D1", "lets dead letters expire", async (settlement, delivery, connection) => {
    const settled = await delivery.settle(settlement);
    const useCase = settlement.kind === "dead" ? settlement.event.headers.papa_use_case : undefined;
    if (settlement.kind === "dead" && useCase !== undefined)
      later(1_000, () => connection.deadLetters(useCase).purge([settlement.id]));
    return settled;
  }),

  settlements("D1", "keeps dead letters without the user's headers", (settlement, delivery) => {
    if (settlement.kind !== "dead") return delivery.settle(settlement);
    const { event } = settlement;
    const headers = Object.fromEntries(Object.entries(event.headers).filter(([name]) => /^(ce_|papa_)/.test(name)));
    return delivery.settle({ ...settlement, event: changed(event, { headers }) });
  }),

  store("D2", "leaves a letter out between two pages", () => (letters) => ({
    list: async (query) => {
      const page = await letters.list(query);
      return query.after === undefined ? page : { ...page, items: page.items.slice(1) };
    },
  })),

  store("D2", "counts what is gone", () => (letters) => ({
    purge: async (which) => {
      const purged = await letters.purge(which);
      return which === "all" || typeof which === "function" ? purged : which.length;
    },
  })),

  store("D3", "destroys a letter that was looked at twenty times", () => {
    const looks = new Map<string, number>();
    return (letters) => ({
      list: async (query) => {
        const page = await letters.list(query);
        for (const { id } of page.items) {
          looks.set(id, (looks.get(id) ?? 0) + 1);
          if ((looks.get(id) ?? 0) > 20) await letters.purge([id]);
        }
        return page;
      },
    });
  }),

  store("D4", "redrives to everybody", () => (letters, connection) => ({
    redrive: async (which, revive) => {
      const { items } = await letters.list({ limit: 1_000, order: "oldest" });
      const chosen = items.filter((letter) => isMeant(which, letter));
      await connection.publish(chosen.map(revive));
      return letters.purge(chosen.map(({ id }) => id));
    },
  })),

  store("D4", "redrives with the attempts that were made", () => (letters) => ({
    redrive: (which, revive) =>
      letters.redrive(which, (letter) => {
        const event = revive(letter);
        return changed(event, { headers: { ...event.headers, papa_attempt: "2" } });
      }),
  })),

  store("D4", "loses letters when the connection is lost while redriving", () => (letters) => ({
    redrive: async (which, revive) => {
      const { items } = await letters.list({ limit: 1_000, order: "oldest" });
      const chosen = items.filter((letter) => isMeant(which, letter));
      const half = chosen.slice(0, Math.ceil(chosen.length / 2)).map(({ id }) => id);
      await letters.redrive(half, revive);
      return half.length + (await letters.purge(chosen.slice(half.length).map(({ id }) => id)));
    },
  })),
];
