/** What a worker is to do, given on its command line. */
export type Order = PublishOrder | HandleOrder | CollectOrder;

interface Where {
  /** The transport's URL, by way of whatever stands between. */
  readonly uri: string;
  /** Where to connect for each address that the broker gives, and what makes such a transport; the URL alone unless set. */
  readonly routing?: { readonly module: string; readonly routes: Readonly<Record<string, string>> } | undefined;
}

/** Publishes `count` events, numbered upwards from `from`. */
export interface PublishOrder extends Where {
  readonly role: "publish";
  readonly from: number;
  readonly count: number;
  /** The most `newEvent` calls that wait at once. */
  readonly window: number;
  /** Events per second; as fast as it goes unless set. */
  readonly rate?: number | undefined;
}

/** Handles each published event, with one output. */
interface HandleOrder extends Where {
  readonly role: "handle";
  /** Every event whose number this divides fails at its first attempt; none unless set. */
  readonly failing?: number | undefined;
}

/** Handles each output. */
interface CollectOrder extends Where {
  readonly role: "collect";
}

/** The use cases of the two roles that handle. */
export const USE_CASES = { handle: "relay", collect: "collect" } as const;
