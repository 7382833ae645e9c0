/** Names the topics and groups of a namespace. No prefix contains "--", so these names never clash with topics of events. */
export class Names {
  readonly prefix: string;
  readonly registry: string;
  readonly delays: string;
  readonly releaser: string;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.registry = `${prefix}--registry`;
    this.delays = `${prefix}--delays`;
    this.releaser = `${prefix}--releaser`;
  }

  /** The topic of all events whose names begin with `word`. */
  events(word: string): string {
    return `${this.prefix}.${word}`;
  }

  /** The event name that a topic stands for; `undefined` if it is not a topic of events. */
  eventName(topic: string): string | undefined {
    const start = `${this.prefix}.`;
    return topic.startsWith(start) && topic.length > start.length ? topic.slice(start.length) : undefined;
  }

  /** Whether a topic, existing or not, belongs to the namespace. */
  owns(topic: string): boolean {
    return topic.startsWith(`${this.prefix}.`) || topic.startsWith(`${this.prefix}--`);
  }

  /** The topic that brings retried, redriven and forwarded events back to one use case. */
  ready(useCase: string): string {
    return `${this.prefix}--ready-${escaped(useCase)}`;
  }

  deadLetters(useCase: string): string {
    return `${this.prefix}--dead-${escaped(useCase)}`;
  }

  /** Whether a topic was made for a use case. */
  isOfUseCase(topic: string): boolean {
    return topic.startsWith(`${this.prefix}--ready-`) || topic.startsWith(`${this.prefix}--dead-`);
  }

  group(useCase: string): string {
    return `${this.prefix}--use-case-${useCase}`;
  }
}

/** Returns the first word of an event name or a pattern. */
export function firstWord(name: string): string {
  const end = name.indexOf(".");
  return end === -1 ? name : name.slice(0, end);
}

/** Tells whether a pattern may match names with any first word, so that its topics must be discovered. */
export function needsDiscovery(pattern: string): boolean {
  const word = firstWord(pattern);
  return word === "*" || word === "#";
}

/** Kafka refuses a topic whose name differs from another one only in "." and "_". */
function escaped(useCase: string): string {
  return useCase.replace(/[-._]/g, (character) => ({ "-": "--", ".": "-d", _: "-u" })[character] ?? character);
}
