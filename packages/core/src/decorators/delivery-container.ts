// First: tsyringe refuses to be loaded without it.
import "reflect-metadata";

import { type DependencyContainer, container as globalContainer, Lifecycle } from "tsyringe";
import type { DeliveryScope } from "../context/delivery-scope.ts";
import { EventContext } from "../context/event-context.ts";
import { invalidOption } from "../options/check-options.ts";
import type { Class } from "../use-cases/class-use-cases.ts";

/** A child container for one delivery, disposed of after it. */
export interface DeliveryContainer extends DeliveryScope {
  /** @throws what tsyringe or a constructor throws */
  make<T>(type: Class<T>): T;
}

/** How the child containers of an app's container are made. */
export type DeliveryContainerClass = new (context: EventContext) => DeliveryContainer;

/** What tsyringe 4.10 has and does not show. */
interface Internals extends DependencyContainer {
  /** What this container has constructed and has a `dispose()`, in the order of construction. */
  readonly disposables: Set<{ dispose(): unknown }>;
  disposed: boolean;
  /** Every way to an instance goes through here, whoever asks for it: a constructor, a factory, a `delay` proxy. */
  resolveRegistration(registration: Registration, resolution: object): unknown;
  /** What is registered for a token, here or further up. */
  getRegistration(token: unknown): Registration | null | undefined;
}

interface Registration {
  readonly provider: Provider;
  readonly options: { readonly lifecycle: Lifecycle };
  instance?: unknown;
}

/**
 * The child containers of an app's container; of tsyringe's global one, if there is none.
 *
 * They differ from those of `createChildContainer()`. A singleton is always made by the app's container, and so is
 * what it is made of: a plain child makes a singleton that it is the first to be asked for with what belongs to its
 * delivery, and disposes of it. And what has a lifecycle per container is looked up when it is needed, where a plain
 * child copies it when it is made, at a cost that grows with the number of registrations.
 *
 * @throws PapaError `invalid-option`
 */
export function deliveryContainers(given: object | undefined): DeliveryContainerClass {
  const parent = internalsOf(given ?? globalContainer);
  const known = classes.get(parent);
  if (known !== undefined) return known;
  const made = classFor(parent);
  classes.set(parent, made);
  return made;
}

/** By the app's container, so that a thousand use cases share one class. */
const classes = new WeakMap<object, DeliveryContainerClass>();

function classFor(parent: Internals): DeliveryContainerClass {
  // Of the copy of tsyringe that the app's container is from.
  const Container = parent.constructor as new (parent: Internals) => Internals;

  return class extends Container implements DeliveryContainer {
    readonly #context: EventContext;
    /** By the registration in a container above. */
    #ownRegistrations: Map<Registration, Registration> | undefined;

    constructor(context: EventContext) {
      super(parent);
      this.#context = context;
      this.registerInstance(EventContext, context);
    }

    make<T>(type: Class<T>): T {
      return this.resolve(type as new () => T);
    }

    get occupied(): boolean {
      return this.disposables.size > 0;
    }

    /** One after the other, what was made last first: it may still use what it was made with. */
    override async dispose(): Promise<void> {
      const made = [...this.disposables].reverse();
      this.disposables.clear();
      // What the method that is overridden does too: asking the container for something is an error from now on.
      this.disposed = true;
      for (const each of made) {
        try {
          await each.dispose();
        } catch (error) {
          this.#context.logger.error(
            { err: error },
            `Disposing of a "${each.constructor.name}" after its delivery failed.`,
          );
        }
      }
    }

    override resolveRegistration(registration: Registration, resolution: object): unknown {
      const { lifecycle } = registration.options;
      if (lifecycle === Lifecycle.Singleton) {
        return registration.instance ?? parent.resolveRegistration(registration, freshLike(resolution));
      }
      return super.resolveRegistration(
        lifecycle === Lifecycle.ContainerScoped ? this.#own(registration) : registration,
        resolution,
      );
    }

    #own(registration: Registration): Registration {
      this.#ownRegistrations ??= new Map();
      const { provider, options } = registration;
      const own = this.#ownRegistrations.get(registration) ?? { provider, options };
      this.#ownRegistrations.set(registration, own);
      return own;
    }
  };
}

/** A resolution of its own, so that nothing which is shared within that of the delivery gets into a singleton. */
function freshLike(resolution: object): object {
  return new (resolution.constructor as new () => object)();
}

/** What a container makes an instance by. */
interface Provider {
  readonly useClass?: unknown;
}

/** What the app's container, or tsyringe's global one, has registered for a token, if anything. @throws PapaError `invalid-option` */
export function registeredProvider(container: object | undefined, token: unknown): Provider | undefined {
  return internalsOf(container ?? globalContainer).getRegistration(token)?.provider;
}

function internalsOf(container: object): Internals {
  const { resolveRegistration, disposables } = container as Partial<Internals>;
  if (typeof resolveRegistration === "function" && disposables instanceof Set) return container as Internals;
  throw invalidOption(
    "PapaApp: container",
    "a container of tsyringe 4.10 is needed, such as container.createChildContainer()",
  );
}
