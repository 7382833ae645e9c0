import { PapaError } from "@papa-events/core";
import type { Delivery } from "@papa-events/core/transport";
import type { Description } from "../../src/description.ts";
import { declaring } from "../../src/rig/wrapped.ts";
import { memoryDescription } from "../memory-description.ts";
import { changed, DONE, deliveries, redirected, settlements, type Variant, variant } from "./variant.ts";

const SECRET = "not-the-secret";

/** Faults of starting, stopping and saying what became of events. */
export const livingFaults: readonly Variant[] = [
  variant("L2", "counts as a failed attempt what still runs at the deadline", () => (connection) => {
    const open = new Set<Delivery>();
    return {
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          open.add(delivery);
          onDelivery(
            redirected(delivery, (settlement) => {
              open.delete(delivery);
              return delivery.settle(settlement);
            }),
          );
        }),
      close: async () => {
        for (const delivery of open) await delivery.settle(retryOf(delivery));
        await connection.close();
      },
    };
  }),

  {
    rule: "L4",
    fault: "takes a broker that is away for one that refuses",
    around: (inner) => ({
      name: inner.name,
      connect: (options) =>
        inner.connect(options).catch((cause: unknown) => {
          throw new PapaError("access-refused", "It does not let me in.", { transport: inner.name }, { cause });
        }),
    }),
  },

  {
    rule: "L4",
    fault: "shows a password in the cause of an error",
    around: (inner) => inner,
    description: {
      refused: [{ problem: "wrong password", transport: indiscreet, code: "access-refused", secret: SECRET }],
    },
  },

  settlements("L5", "keeps headers that are not text only as text", (settlement, delivery) => {
    if (settlement.kind !== "retry" && settlement.kind !== "dead") return delivery.settle(settlement);
    return delivery.settle({ ...settlement, event: changed(settlement.event, { rawHeaders: undefined }) });
  }),

  variant("L8", "declares once, and makes nothing again that was deleted", () => (connection) => {
    const declared = new Set<string>();
    return {
      declarations: declaring(connection.declarations, async (declarations) => {
        const news = declarations.filter(({ name }) => !declared.has(name));
        if (news.length > 0) await connection.declarations.declare(news);
        for (const { name } of news) declared.add(name);
      }),
    };
  }),

  settlements("L6", "says of an outcome that came too late that it is stored", async (settlement, delivery) => {
    await delivery.settle(settlement);
    return "stored";
  }),

  settlements("L6", "says of a dead letter that it is stored, and stores none", (settlement, delivery) =>
    delivery.settle(settlement.kind === "dead" ? DONE : settlement),
  ),

  settlements("L6", "stores a dead letter under another id than it was given", (settlement, delivery) =>
    delivery.settle(settlement.kind === "dead" ? { ...settlement, id: `${settlement.id}-2` } : settlement),
  ),

  deliveries(
    "L6",
    "hands an event out once more after its dead letter",
    () => (delivery, hand) =>
      hand(
        redirected(delivery, async (settlement) => {
          const settled = await delivery.settle(settlement);
          const { event, attempt, redeliveries } = delivery;
          if (settlement.kind === "dead")
            hand({ event, attempt, redeliveries, lost: false, settle: async () => "stored" });
          return settled;
        }),
      ),
  ),

  variant("L6", "does not notify that the connection is lost", () => (_, options) => {
    Object.assign(options, { onStatus: () => {} });
    return {};
  }),
];

/** What would count the attempt, which nobody has made. */
export function retryOf({ event, attempt }: Delivery) {
  const headers = { ...event.headers, papa_attempt: String(attempt + 1) } as Record<string, string>;
  const again = { name: event.name ?? "", id: event.id ?? "", time: event.time ?? 0, body: event.body, headers };
  return { kind: "retry", delay: 0, event: again } as const;
}

/** As clients are whose errors carry the command that failed. */
function indiscreet(): ReturnType<Description["transport"]> {
  const { name } = memoryDescription().transport("unused");
  const cause = Object.assign(new Error("wrong password"), { command: { name: "auth", args: ["somebody", SECRET] } });
  return {
    name,
    connect: async () => {
      throw new PapaError("access-refused", "The broker refuses the credentials.", { transport: name }, { cause });
    },
  };
}
