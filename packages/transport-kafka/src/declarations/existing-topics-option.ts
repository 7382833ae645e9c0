import { isPapaError } from "@papa-events/core";
import { assertPattern, invalidOption } from "@papa-events/core/transport";
import { Names } from "../wire/names.ts";
import { overlap } from "../wire/pattern-overlap.ts";

/** Topics that others own, each with the event name, or the pattern of the names, of what is in it. */
export type ExistingTopics = ReadonlyMap<string, string>;

const WHERE = "kafka: topics";
/** As Kafka allows it. */
const TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;

/** Reads the option `topics`. @throws PapaError `invalid-option` */
export function readExistingTopics(topics: unknown, prefix: string): ExistingTopics {
  if (topics === undefined) return new Map();
  if (typeof topics !== "object" || topics === null || Array.isArray(topics))
    throw invalidOption(WHERE, 'it is an object of topics and event names, such as { "shop.orders.v1": "order.*" }');
  const names = new Names(prefix);
  const read = new Map<string, string>();
  for (const [topic, pattern] of Object.entries(topics)) {
    if (!TOPIC.test(topic)) throw invalidOption(WHERE, `${JSON.stringify(topic)} is not a valid name of a topic`);
    if (names.owns(topic))
      throw invalidOption(WHERE, `"${topic}" belongs to the namespace "${prefix}", whose topics need not be mapped`);
    assertMapped(topic, pattern);
    // An event is written to one topic.
    for (const [other, names] of read)
      if (overlap(pattern, names))
        throw invalidOption(
          WHERE,
          `"${other}" (${names}) and "${topic}" (${pattern}) overlap: some event names would belong to both`,
        );
    read.set(topic, pattern);
  }
  return read;
}

function assertMapped(topic: string, pattern: unknown): asserts pattern is string {
  try {
    assertPattern(pattern);
  } catch (error) {
    if (!isPapaError(error, "invalid-pattern")) throw error;
    throw invalidOption(
      WHERE,
      `what "${topic}" is mapped to is no event name and no pattern: ${error.details.problem}`,
    );
  }
}
