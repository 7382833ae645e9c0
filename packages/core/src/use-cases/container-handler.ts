import type { Handler } from "../handler/handler.ts";

/** `Symbol.for`, so that handlers of another copy of core are recognised. */
export const BIND = Symbol.for("papa-events.bind-handler");

/** A handler that becomes callable with a container. */
export interface ContainerHandler extends Handler {
  readonly [BIND]: (container: object | undefined) => Handler;
}

/** Gives the handler to call: the handler itself, or what it becomes with a container. */
export function boundHandler(handler: Handler, container: object | undefined): Handler {
  return BIND in handler ? (handler as ContainerHandler)[BIND](container) : handler;
}
