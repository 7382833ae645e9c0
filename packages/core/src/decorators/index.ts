/**
 * Classes with dependencies: handlers that are methods of classes which a tsyringe container makes, one child
 * container per delivery. Needs the packages `tsyringe` and `reflect-metadata`, which nothing else of core loads.
 * Import it before `tsyringe` and before the decorated classes.
 *
 * @packageDocumentation
 */
export { EventContext } from "../context/event-context.ts";
export type { ContextOf, DecoratorsFor, OnEventFor, PayloadOf } from "./decorators-for.ts";
export { decoratorsFor } from "./decorators-for.ts";
export type { HandlerMethod } from "./handled-by.ts";
export { handledBy } from "./handled-by.ts";
export type { HandlerDecorator } from "./on-event.ts";
export { onEvent } from "./on-event.ts";
