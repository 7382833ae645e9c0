import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  type Connection,
  type Delivery,
  type EncodedEvent,
  EventReader,
  HEADER,
  type ReceivedEvent,
  type StoredDeadLetter,
  type Subscription,
  systemClock,
} from "@papa-events/core/transport";
import { declaration } from "../rig/declaring.ts";
import type { Rig } from "../rig/rig.ts";
import { encoded, numbers } from "./events.ts";

/** The name of the events that are buried. */
const BURIED = "buried";
/** Enough for many to be stored at once. */
const READ_AHEAD = 500;

/** Gives up every event of a use case at once, as fast as the broker can: for tests of many dead letters. */
export class Burier {
  /** The numbers of those whose dead letter is stored, in that order. */
  readonly buried: number[] = [];
  /** The attempts that they came with. */
  readonly attempts = new Set<number>();
  readonly #connection: Connection;
  readonly #useCase: string;
  #subscription: Subscription | undefined;

  constructor(connection: Connection, useCase: string) {
    this.#connection = connection;
    this.#useCase = useCase;
  }

  async start(): Promise<void> {
    const declared = declaration(this.#useCase, BURIED);
    await this.#connection.declarations.declare([declared]);
    const options = { readAhead: READ_AHEAD, declaration: declared.id };
    this.#subscription = await this.#connection.subscribe(this.#useCase, options, (delivery) => {
      void this.#bury(delivery);
    });
  }

  /** Publishes events with the numbers from `from` up to and without `to`, as many at once as the transport likes. */
  async publish(from: number, to: number): Promise<void> {
    const { eventsPerCall } = this.#connection.capabilities.publishing;
    for (let next = from; next < to; next += eventsPerCall) {
      const events = numbers(Math.min(eventsPerCall, to - next)).map((number) =>
        encoded(BURIED, { number: next + number }),
      );
      assert.deepEqual(await this.#connection.publish(events), [], "the broker took less than all of them");
    }
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
  }

  async #bury(delivery: Delivery): Promise<void> {
    const { event, attempt } = delivery;
    this.attempts.add(attempt);
    const dead = again(event, {
      [HEADER.reason]: "rejected",
      [HEADER.attempt]: String(attempt),
      [HEADER.useCase]: this.#useCase,
      [HEADER.lastFailedAt]: new Date().toISOString(),
      [HEADER.errorName]: "Error",
      [HEADER.errorMessage]: "buried",
    });
    if ((await delivery.settle({ kind: "dead", id: randomUUID(), event: dead })) === "stored")
      this.buried.push(numberOf(event));
  }
}

/** Makes so many dead letters of events with the numbers from 0 on, by a connection of its own. */
export async function buryMany(rig: Rig, useCase: string, count: number): Promise<void> {
  const connection = await rig.connect();
  const burier = new Burier(connection, useCase);
  await burier.start();
  await burier.publish(0, count);
  await rig.until(
    () => `${burier.buried.length} of ${count} dead letters are stored`,
    () => burier.buried.length >= count,
  );
  await burier.stop();
  await connection.close();
}

/** The number that an event of these tests carries. */
export function numberOf({ body }: Pick<ReceivedEvent, "body">): number {
  return (JSON.parse(Buffer.from(body).toString()) as { readonly number: number }).number;
}

/** Makes of a dead letter the event it was: attempt 1, same id. */
export function revived({ event }: StoredDeadLetter): EncodedEvent {
  return again(event, {});
}

function again(event: ReceivedEvent, added: Readonly<Record<string, string>>): EncodedEvent {
  const reader = new EventReader(event, systemClock);
  const { id, time, name } = reader;
  return { ...encoded(name, event.body, { ...reader.userHeaders, [HEADER.id]: id, ...added }), id, time };
}
