/**
 * The operator's side: looks into a namespace and acts on it, with no app running, the same on all brokers.
 *
 * @packageDocumentation
 */
export type { Finding } from "../transport/administration.ts";
export { type Operator, type OperatorOptions, operator, type RemoveOptions } from "./operator.ts";
export type { TailedEvent, TailOptions } from "./tail.ts";
export type { DeclaringApp, UseCaseInfo, UseCaseStats } from "./use-case-info.ts";
