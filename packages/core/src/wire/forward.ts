import type { EncodedEvent } from "../transport/event.ts";
import { readCount } from "./decode.ts";
import { HEADER } from "./header-names.ts";
import { type HeaderBudget, notedTime, type StoredAgain, storeAgain } from "./stored-again.ts";

/**
 * Encodes the event on its way to another instance of its use case (R6): nothing about its attempts changes, and an event that
 * kills whoever accepts it stays a suspect, whoever has forwarded it in between.
 *
 * @param redeliveries how often it has come back unexplained
 */
export function encodeForward(event: StoredAgain, now: number, budget: HeaderBudget, redeliveries = 0): EncodedEvent {
  const times = readCount(event.reader.text(HEADER.forwarded), 0);
  return storeAgain(
    event,
    {
      [HEADER.forwarded]: String(times + 1),
      [HEADER.forwardedSince]: notedTime(event.reader, HEADER.forwardedSince, now),
      ...(redeliveries === 0 ? {} : { [HEADER.redelivered]: String(redeliveries) }),
    },
    budget,
  );
}
