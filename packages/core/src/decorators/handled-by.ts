import { ScopedContext } from "../context/delivery-scope.ts";
import type { EventContext } from "../context/event-context.ts";
import type { Handler, HandlerResult } from "../handler/handler.ts";
import { invalidOption } from "../options/check-options.ts";
import type { Class } from "../use-cases/class-use-cases.ts";
import { BIND, type ContainerHandler } from "../use-cases/container-handler.ts";
import { assertInjectable } from "./assert-injectable.ts";
import { type DeliveryContainer, deliveryContainers } from "./delivery-container.ts";

/** The names of the methods of `T` that can handle events: `(payload, ctx)`, returning nothing or events. */
export type HandlerMethod<T> = {
  [K in keyof T]-?: T[K] extends (payload: never, context: never) => HandlerResult | Promise<HandlerResult> ? K : never;
}[keyof T];

/**
 * A handler that has a container make the class for each delivery and calls the method: `@onEvent` without decorator
 * syntax. Called by hand, and by `UseCase.handle`, it takes the class from tsyringe's global container.
 *
 * @throws PapaError `invalid-option`
 * @example app.onEvent("user.created", { useCase: "send_welcome", schema: User }, handledBy(SendWelcome, "handle"));
 */
export function handledBy<T, K extends HandlerMethod<T>>(type: Class<T>, method: K): OmitThisParameter<T[K]> {
  if (typeof type !== "function")
    throw invalidOption("handledBy", `a class is needed, not a value of type ${typeof type}`);
  const { prototype } = type as { readonly prototype?: Readonly<Record<PropertyKey, unknown>> | undefined };
  if (typeof prototype?.[method] !== "function") {
    throw invalidOption("handledBy", `the class "${type.name}" has no method ${JSON.stringify(String(method))}`);
  }
  return methodHandler(type, method) as unknown as OmitThisParameter<T[K]>;
}

/** A handler that calls a method of what a container makes of `type`. */
export function methodHandler(type: Class, method: PropertyKey): ContainerHandler {
  let unbound: Handler | undefined;
  const byHand: Handler = (payload, context) => {
    unbound ??= bound(type, method, undefined);
    return unbound(payload, context);
  };
  return Object.assign(byHand, {
    [BIND]: (container: object | undefined) => bound(type, method, container),
  });
}

/** When the app starts, so that all that is registered before counts. @throws PapaError `invalid-option` */
function bound(type: Class, method: PropertyKey, container: object | undefined): Handler {
  const Container = deliveryContainers(container);
  assertInjectable(type, container);
  return (payload, context) => {
    if (!(context instanceof ScopedContext)) return callOnce(type, method, new Container(context), payload, context);
    // One per delivery, also where something around the handler calls it twice. Nothing else sets a scope.
    const made = (context.scope ??= new Container(context)) as DeliveryContainer;
    return call(made, type, method, payload, context);
  };
}

/** Where nobody settles anything: a test that calls the handler with a context of its own. */
async function callOnce(
  type: Class,
  method: PropertyKey,
  container: DeliveryContainer,
  payload: unknown,
  context: EventContext,
): Promise<HandlerResult> {
  try {
    return await call(container, type, method, payload, context);
  } finally {
    await container.dispose();
  }
}

function call(
  container: DeliveryContainer,
  type: Class,
  method: PropertyKey,
  payload: unknown,
  context: EventContext,
): ReturnType<Handler> {
  // By name and not by function: the container may have something else in the place of the class.
  const instance = container.make(type) as Readonly<Record<PropertyKey, Handler | undefined>>;
  const handler = instance[method];
  if (typeof handler === "function") return handler.call(instance, payload, context);
  const problem = `what it has in the place of "${type.name}" has no method ${JSON.stringify(String(method))}`;
  throw invalidOption("container", problem);
}
