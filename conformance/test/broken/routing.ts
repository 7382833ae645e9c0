import { PapaError } from "@papa-events/core";
import type { DeclarationRecord, EncodedEvent, Subscription } from "@papa-events/core/transport";
import { declaring } from "../../src/rig/wrapped.ts";
import { matches } from "../../src/rules/matches.ts";
import { DONE, deliveries, later, publishing, redirected, settlements, type Variant, variant } from "./variant.ts";

/** Faults of routing and of rolling deploys. */
export const routingFaults: readonly Variant[] = [
  variant("R1", "start() resolves before the patterns are bound", () => (connection) => {
    let bound: Promise<unknown> = Promise.resolve();
    return {
      declarations: declaring(connection.declarations, async (declarations) => {
        bound = new Promise<void>((resolve) => later(50, resolve)).then(() =>
          connection.declarations.declare(declarations),
        );
      }),
      subscribe: async (useCase, options, onDelivery): Promise<Subscription> => {
        const subscription = bound.then(() => connection.subscribe(useCase, options, onDelivery));
        return {
          readAhead: (limit) => void subscription.then((each) => each.readAhead(limit)),
          stop: async () => (await subscription).stop(),
        };
      },
    };
  }),

  variant("R1", "forgets what is published while no instance runs", () => {
    let consumers = 0;
    return (connection) => ({
      publish: (events) => connection.publish(consumers > 0 ? events : []),
      subscribe: async (...args) => {
        consumers += 1;
        const subscription = await connection.subscribe(...args);
        return {
          readAhead: (limit) => subscription.readAhead(limit),
          stop: () => {
            consumers -= 1;
            return subscription.stop();
          },
        };
      },
    });
  }),

  variant("R2", "delivers an event once per pattern", () => {
    const patterns = new Map<string, readonly string[]>();
    return (connection) => ({
      declarations: declaring(connection.declarations, async (declarations) => {
        for (const declaration of declarations) patterns.set(declaration.name, declaration.patterns);
        await connection.declarations.declare(declarations);
      }),
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          const name = delivery.event.name ?? "";
          const times = patterns.get(useCase)?.filter((pattern) => matches(pattern, name)).length ?? 1;
          onDelivery(delivery);
          for (let more = 1; more < times; more += 1) onDelivery(redirected(delivery, async () => "stored"));
        }),
    });
  }),

  deliveries("R2", "gives each event to two of the competing instances", () => {
    let last: ((delivery: ReturnType<typeof redirected>) => void) | undefined;
    return (delivery, hand) => {
      if (last !== undefined && last !== hand) last(redirected(delivery, async () => "stored"));
      last = hand;
      hand(delivery);
    };
  }),

  variant("R4", 'takes "#" for one word or more', () => {
    const declared = new Map<string, readonly string[]>();
    return (connection) => ({
      declarations: declaring(connection.declarations, async (declarations) => {
        for (const { name, patterns } of declarations) declared.set(name, patterns);
        await connection.declarations.declare(declarations);
      }),
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          const name = delivery.event.name ?? "";
          const longer = declared.get(useCase)?.map((pattern) => pattern.replaceAll("#", "*.#")) ?? [];
          if (longer.some((pattern) => matches(pattern, name))) onDelivery(delivery);
          else void delivery.settle(DONE);
        }),
    });
  }),

  variant("R5", "keeps what no pattern matches for a later use case", () => {
    const past: EncodedEvent[] = [];
    const known = new Set<string>();
    return (connection) => ({
      publish: (events) => {
        past.push(...events);
        return connection.publish(events);
      },
      subscribe: async (useCase, options, onDelivery) => {
        const subscription = await connection.subscribe(useCase, options, onDelivery);
        const fresh = known.has(useCase) ? [] : [...past];
        known.add(useCase);
        later(0, () => {
          for (const event of fresh)
            onDelivery({ event, attempt: 1, redeliveries: 0, lost: false, settle: async () => "stored" });
        });
        return subscription;
      },
    });
  }),

  variant("R5", "lists what it has declared itself, and nobody else", () => (connection) => {
    const own = new Set<string>();
    return {
      declarations: {
        ...declaring(connection.declarations, async (declarations) => {
          for (const { name } of declarations) own.add(name);
          await connection.declarations.declare(declarations);
        }),
        list: async () => (await connection.declarations.list())?.filter(({ useCase }) => own.has(useCase)) ?? [],
      },
    };
  }),

  variant("R5", "lists what was declared when it was first asked", () => {
    let first: Promise<readonly DeclarationRecord[] | undefined> | undefined;
    return ({ declarations }) => ({
      declarations: {
        ...declaring(declarations, (each) => declarations.declare(each)),
        list: async () => (await (first ??= declarations.list())) ?? [],
      },
    });
  }),

  variant("R9", "says that the app that asks has declared everything", () => ({ declarations }, { appName }) => ({
    declarations: {
      ...declaring(declarations, (each) => declarations.declare(each)),
      list: async () => (await declarations.list())?.map((record) => ({ ...record, app: appName })) ?? [],
    },
  })),

  variant("R6", "unbinds at once what the last declaration does not have", () => (connection) => ({
    declarations: declaring(connection.declarations, async (declarations) => {
      await connection.declarations.declare(declarations);
      for (const { name, patterns } of declarations) {
        const declared = (await connection.declarations.list(name)).flatMap((record) => record.patterns);
        const others = declared.filter((pattern) => !patterns.includes(pattern));
        await connection.declarations.withdraw(name, others, 0);
      }
    }),
  })),

  settlements("R6", "drops what another instance accepts", (settlement, delivery) =>
    delivery.settle(settlement.kind === "forward" ? DONE : settlement),
  ),

  variant("R6", "never withdraws a pattern", () => (connection) => ({
    declarations: {
      ...declaring(connection.declarations, (declarations) => connection.declarations.declare(declarations)),
      withdraw: async () => {},
    },
  })),

  publishing("R7", "loses the first event of a new name", () => {
    const known = new Set<string>();
    return (events, connection) => {
      const kept = events.filter(({ name }) => known.has(name));
      for (const { name } of events) known.add(name);
      return connection.publish(kept);
    };
  }),

  variant("L1", "refuses to declare what exists", () => {
    const declared = new Set<string>();
    return (connection) => ({
      declarations: declaring(connection.declarations, async (declarations) => {
        for (const { name } of declarations) {
          const details = { object: name, difference: "it exists" };
          if (declared.has(name)) throw new PapaError("topology-conflict", `${name} exists.`, details);
          declared.add(name);
        }
        await connection.declarations.declare(declarations);
      }),
    });
  }),
];
