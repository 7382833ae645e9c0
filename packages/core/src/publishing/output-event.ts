import type { Catalogue, NameIn, NoCatalogue, PayloadIn } from "../catalogue/types.ts";

/** An event that a handler returns to have it published (H4). */
export interface OutputEvent<Name extends string = string, Payload = unknown> {
  readonly name: Name;
  readonly payload: Payload;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An event to publish or to return: one of the catalogue, or any without. */
export type EventIn<C extends Catalogue | NoCatalogue, N extends NameIn<C> = NameIn<C>> =
  N extends NameIn<C> ? OutputEvent<N, PayloadIn<C, N>> : never;

/** An event of `newEvents`, which may bring its id. */
export interface EventToPublish extends OutputEvent {
  readonly id?: string | undefined;
}

/** An event to publish, one of the catalogue or any without, with an id of its own if need be. */
export type PublishableEvent<C extends Catalogue | NoCatalogue> = EventIn<C> & { readonly id?: string | undefined };
